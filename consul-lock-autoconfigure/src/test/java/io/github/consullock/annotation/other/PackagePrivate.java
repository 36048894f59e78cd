package io.github.consullock.annotation.other;

import io.github.consullock.annotation.DistributedLock;

public class PackagePrivate {

	@DistributedLock("a")
	public void open() {
	}

	@DistributedLock("b")
	void hidden() {
	}

}
