package io.github.consullock.benchmarks;

import org.jspecify.annotations.Nullable;

/**
 * What stands in one line of a table.
 *
 * @param name such as the contender's
 * @param store where its locks are, if anywhere
 */
record Row(String name, @Nullable StoreKind store) {

	static Row of(String name) {
		return new Row(name, null);
	}

	@Override
	public String toString() {
		return (this.store != null) ? this.name + " (" + this.store + ")" : this.name;
	}

}
