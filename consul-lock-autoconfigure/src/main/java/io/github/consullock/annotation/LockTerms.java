package io.github.consullock.annotation;

import java.time.Duration;
import java.util.Collection;
import java.util.Locale;

import io.github.consullock.LockOptions;
import io.github.consullock.lock.Acquirable;
import io.github.consullock.lock.ConsulLockRegistry;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.convert.DurationStyle;
import org.springframework.util.StringValueResolver;

/**
 * On what terms an annotated method holds its lock.
 *
 * @param limit how many may hold it at once, or 0 for a lock
 * @param waitTime how long to wait, or {@code null} for the registry's wait time
 * @param fair whether it goes to the one that has waited longest, whatever the registry's
 * setting
 * @param holdAtLeast how long others are kept out at least, or {@code null} for not at
 * all
 * @param maxHold how long it may be held, or {@code null} for without limit
 */
record LockTerms(int limit, @Nullable Duration waitTime, boolean fair, @Nullable Duration holdAtLeast,
		@Nullable Duration maxHold) {

	static LockTerms of(Definition definition, StringValueResolver placeholders) {
		DistributedLock annotation = definition.annotation();
		int limit = annotation.limit();
		if (limit < 0) {
			throw definition.refused("has limit = " + limit,
					"Use a number of at least 1, or leave it out for a lock that one call holds at a time.");
		}
		if (limit > 0 && annotation.keys().length > 0) {
			throw definition.refused("has both limit = " + limit + " and keys",
					"A limit is for one key: set 'key'; or leave the limit out, to lock all keys together.");
		}
		if (annotation.fair() && annotation.keys().length > 0) {
			throw definition.refused("has both fair = true and keys",
					"Who wants several keys does not queue up between instances: set 'key'; or leave fair out.");
		}
		Attributes attributes = new Attributes(definition, placeholders);
		Duration holdAtLeast = attributes.duration("holdAtLeast", annotation.holdAtLeast());
		Duration maxHold = attributes.duration("maxHold", annotation.maxHold());
		if (maxHold != null && maxHold.isZero()) {
			throw definition.refused("has maxHold = \"" + annotation.maxHold() + "\", after which nothing is held",
					"Use a duration above zero, or leave it out for a hold without limit.");
		}
		if (holdAtLeast != null && maxHold != null && holdAtLeast.compareTo(maxHold) > 0) {
			throw definition.refused(
					"has holdAtLeast = \"" + annotation.holdAtLeast() + "\", which is longer than maxHold = \""
							+ annotation.maxHold() + "\"",
					"Make maxHold the longer one: it ends a body that takes too long, holdAtLeast keeps others out"
							+ " after a short one.");
		}
		return new LockTerms(limit, attributes.waitTime(), annotation.fair(), holdAtLeast, maxHold);
	}

	/**
	 * What a call acquires.
	 * @param registry where
	 * @param keys the keys below the registry's prefix
	 * @return a lock or a semaphore
	 */
	Acquirable obtain(ConsulLockRegistry registry, Collection<String> keys) {
		LockOptions.Builder options = LockOptions.builder(keys);
		if (this.waitTime != null) {
			options.waitTime(this.waitTime);
		}
		if (this.fair) {
			options.fair(true);
		}
		if (this.holdAtLeast != null) {
			options.holdAtLeast(this.holdAtLeast);
		}
		if (this.maxHold != null) {
			options.maxHold(this.maxHold);
		}
		return (this.limit > 0) ? registry.semaphore(options.build(), this.limit) : registry.obtain(options.build());
	}

	/**
	 * The durations among the attributes.
	 *
	 * @param definition the annotation
	 * @param placeholders resolves properties
	 */
	private record Attributes(Definition definition, StringValueResolver placeholders) {

		private static final String EXAMPLE = "Use a duration such as \"5s\" or \"PT5S\"";

		@Nullable Duration waitTime() {
			String text = this.definition.annotation().waitTime();
			String example = EXAMPLE + ", \"0s\" to try once, or \"forever\".";
			return duration("waitTime", text, example, true);
		}

		@Nullable Duration duration(String name, String text) {
			return duration(name, text, EXAMPLE + ".", false);
		}

		private @Nullable Duration duration(String name, String text, String example, boolean withoutEnd) {
			try {
				String resolved = this.placeholders.resolveStringValue(text);
				String stripped = (resolved != null) ? resolved.strip() : "";
				if (stripped.isEmpty()) {
					return null;
				}
				if (withoutEnd && stripped.toLowerCase(Locale.ROOT).equals("forever")) {
					return LockOptions.FOREVER;
				}
				return parse(stripped);
			}
			catch (IllegalArgumentException ex) {
				throw this.definition.refused(
						"has the " + name + " '" + text + "', which is no duration: " + ex.getMessage(), example, ex);
			}
		}

		private static Duration parse(String text) {
			Duration duration = DurationStyle.detectAndParse(text);
			if (duration.isNegative()) {
				throw new IllegalArgumentException("'" + text + "' is negative");
			}
			if (!duration.isZero() && Character.isDigit(text.charAt(text.length() - 1))) {
				throw new IllegalArgumentException(
						"'" + text + "' has no unit; write \"" + text + "s\" or \"" + text + "ms\"");
			}
			return duration;
		}

	}

}
