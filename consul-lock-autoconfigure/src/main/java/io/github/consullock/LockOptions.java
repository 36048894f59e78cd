package io.github.consullock;

import java.time.Duration;
import java.time.temporal.ChronoUnit;

import org.jspecify.annotations.Nullable;

/**
 * What is asked of one lock. What is not set follows the registry. Immutable.
 *
 * @param key the key below the registry's prefix; checked by {@link #checkKey}
 * @param value what the lock's entry holds while it is held, or {@code null} for a
 * description of the holder
 * @param waitTime how long to wait for the lock, or {@code null} for the registry's wait
 * time; {@link Duration#ZERO} tries once, {@link #FOREVER} waits for ever
 * @param deleteOnRelease whether a release deletes the entry, or {@code null} for the
 * registry's setting
 * @since 0.1.0
 */
public record LockOptions(String key, @Nullable String value, @Nullable Duration waitTime,
		@Nullable Boolean deleteOnRelease) {

	/**
	 * A wait time without end.
	 */
	public static final Duration FOREVER = ChronoUnit.FOREVER.getDuration();

	/**
	 * The first segment of a key that this library keeps for itself.
	 */
	public static final String RESERVED_SEGMENT = ".consul-lock";

	private static final int MAX_KEY_LENGTH = 400;

	private static final int MAX_VALUE_LENGTH = 64 * 1024;

	public LockOptions {
		checkKey(key);
		if (value != null && value.length() > MAX_VALUE_LENGTH) {
			throw new IllegalArgumentException("The value of the lock '" + key + "' has " + value.length()
					+ " characters; at most " + MAX_VALUE_LENGTH + " fit");
		}
		if (waitTime != null && waitTime.isNegative()) {
			throw new IllegalArgumentException("The wait time of the lock '" + key + "' must not be negative, but is "
					+ waitTime + "; zero tries once");
		}
	}

	/**
	 * Options with nothing set but the key.
	 * @param key the key below the registry's prefix
	 * @return the options
	 */
	public static LockOptions of(String key) {
		return builder(key).build();
	}

	/**
	 * Starts building options.
	 * @param key the key below the registry's prefix
	 * @return a builder
	 */
	public static Builder builder(String key) {
		return new Builder(key);
	}

	/**
	 * Refuses what is no key of a lock: null or blank, more than {@value #MAX_KEY_LENGTH}
	 * characters, a character that Consul 1.21.5 and later refuse (anything but ASCII
	 * letters, digits and {@code ,_./-?&=}), an empty segment, the segments {@code .} and
	 * {@code ..}, and the first segment {@value #RESERVED_SEGMENT}.
	 * @param key the key below the registry's prefix
	 * @return the key
	 * @throws IllegalArgumentException if it is none
	 */
	public static String checkKey(@Nullable String key) {
		if (key == null || key.isBlank()) {
			throw new IllegalArgumentException("The key of a lock must not be " + ((key == null) ? "null" : "blank"));
		}
		if (key.length() > MAX_KEY_LENGTH) {
			throw new IllegalArgumentException("The key '" + key.substring(0, 40) + "...' has " + key.length()
					+ " characters; at most " + MAX_KEY_LENGTH + " are allowed");
		}
		for (int i = 0; i < key.length(); i++) {
			char c = key.charAt(i);
			boolean alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
			if (!alphanumeric && ",_./-?&=".indexOf(c) < 0) {
				throw new IllegalArgumentException("The key '" + key + "' has the character '" + c + "' at position "
						+ i + ", which Consul 1.21.5 and later refuse; use ASCII letters, digits and ,_./-?&=");
			}
		}
		String[] segments = key.split("/", -1);
		for (String segment : segments) {
			if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
				throw new IllegalArgumentException("The key '" + key + "' has the segment '" + segment
						+ "'; a key must not start or end with '/' nor contain '//', '.' or '..'");
			}
		}
		if (segments[0].equals(RESERVED_SEGMENT)) {
			throw new IllegalArgumentException("The key '" + key + "' starts with '" + RESERVED_SEGMENT
					+ "', which consul-lock keeps for itself; choose another name");
		}
		return key;
	}

	/**
	 * Builds {@link LockOptions}. For use by one thread.
	 */
	public static final class Builder {

		private final String key;

		private @Nullable String value;

		private @Nullable Duration waitTime;

		private @Nullable Boolean tryOnce;

		private @Nullable Boolean deleteOnRelease;

		private Builder(String key) {
			this.key = key;
		}

		/**
		 * What the lock's entry holds while it is held. Default: a description of the
		 * holder, as JSON.
		 * @param value the value
		 * @return this builder
		 */
		public Builder value(String value) {
			this.value = value;
			return this;
		}

		/**
		 * How long to wait for the lock. Default: the registry's wait time.
		 * @param waitTime the time; zero tries once, {@link #FOREVER} waits for ever
		 * @return this builder
		 */
		public Builder waitTime(Duration waitTime) {
			this.waitTime = waitTime;
			return this;
		}

		/**
		 * Tries once instead of waiting. Contradicts a wait time above zero.
		 * @param tryOnce whether to try once
		 * @return this builder
		 */
		public Builder tryOnce(boolean tryOnce) {
			this.tryOnce = tryOnce;
			return this;
		}

		/**
		 * Whether a release deletes the lock's entry. Default: the registry's setting.
		 * @param deleteOnRelease whether to delete it
		 * @return this builder
		 */
		public Builder deleteOnRelease(boolean deleteOnRelease) {
			this.deleteOnRelease = deleteOnRelease;
			return this;
		}

		/**
		 * Builds the options.
		 * @return the options
		 * @throws IllegalArgumentException if one is invalid, or two contradict each
		 * other
		 */
		public LockOptions build() {
			Duration wait = this.waitTime;
			if (Boolean.TRUE.equals(this.tryOnce)) {
				if (wait != null && !wait.isZero()) {
					throw new IllegalArgumentException("The lock '" + this.key
							+ "' has both tryOnce and a wait time of " + wait + "; set one of them");
				}
				wait = Duration.ZERO;
			}
			return new LockOptions(this.key, this.value, wait, this.deleteOnRelease);
		}

	}

}
