package io.github.consullock;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * What is asked of one lock, over one key or several. What is not set, and so
 * {@code null} here, follows the registry. Immutable.
 *
 * @param keys the keys below the registry's prefix, in sorted order; each checked by
 * {@link #checkKey}
 * @param value what the lock's entry holds while it is held; not set, a description of
 * the holder
 * @param waitTime how long to wait for the lock; {@link Duration#ZERO} tries once,
 * {@link #FOREVER} waits for ever
 * @param fair whether the lock, when it is free, goes to the one that has waited longest,
 * even if another JVM asks for it first
 * @param holdAtLeast how long the lock stays closed for others at least, from its
 * acquisition, even when it is released earlier
 * @param maxHold how long the lock may be held; then it is lost with
 * {@link LockLostReason#MAX_HOLD_EXCEEDED}
 * @param deleteOnRelease whether a release deletes the entry
 * @param session the caller's own session, neither renewed nor destroyed here, which is
 * to hold the lock
 * @param sessionName the name of the session to create
 * @param ttl the TTL of the session to create: 10 s to 24 h
 * @param lockDelay the lock-delay of the session to create: 0 to 60 s
 * @param behavior what becomes of the entry when the session to create is invalidated
 * @param nodeChecks the ids of node checks that the session to create is bound to
 * @param serviceChecks the ids of service checks that the session to create is bound to
 * @param datacenter the datacenter where the lock is
 * @param namespace the namespace where the lock is; Consul Enterprise only
 * @param partition the admin partition where the lock is; Consul Enterprise only
 * @since 0.1.0
 */
public record LockOptions(List<String> keys, @Nullable String value, @Nullable Duration waitTime,
		@Nullable Boolean fair, @Nullable Duration holdAtLeast, @Nullable Duration maxHold,
		@Nullable Boolean deleteOnRelease, @Nullable String session, @Nullable String sessionName,
		@Nullable Duration ttl, @Nullable Duration lockDelay, @Nullable SessionBehavior behavior,
		@Nullable List<String> nodeChecks, @Nullable List<String> serviceChecks, @Nullable String datacenter,
		@Nullable String namespace, @Nullable String partition) {

	/**
	 * A wait time without end.
	 */
	public static final Duration FOREVER = ChronoUnit.FOREVER.getDuration();

	private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]");

	/**
	 * The first segment of a key that this library keeps for itself.
	 */
	public static final String RESERVED_SEGMENT = ".consul-lock";

	/**
	 * How many keys one lock takes: as many as one transaction of Consul 1.14 or later.
	 * Earlier ones take 31.
	 */
	public static final int MAX_KEYS = 63;

	private static final int MAX_KEY_LENGTH = 400;

	private static final int MAX_VALUE_LENGTH = 64 * 1024;

	public LockOptions {
		keys = sorted(keys);
		String key = keys.get(0);
		if (value != null && value.length() > MAX_VALUE_LENGTH) {
			throw new IllegalArgumentException("The value of the lock '" + key + "' has " + value.length()
					+ " characters; at most " + MAX_VALUE_LENGTH + " fit");
		}
		if (waitTime != null && waitTime.isNegative()) {
			throw new IllegalArgumentException("The wait time of the lock '" + key + "' must not be negative, but is "
					+ waitTime + "; zero tries once");
		}
		if (holdAtLeast != null && holdAtLeast.isNegative()) {
			throw new IllegalArgumentException(
					"holdAtLeast of the lock '" + key + "' must not be negative, but is " + holdAtLeast);
		}
		if (maxHold != null && (maxHold.isNegative() || maxHold.isZero())) {
			throw new IllegalArgumentException("maxHold of the lock '" + key + "' must be positive, but is " + maxHold);
		}
		if (holdAtLeast != null && maxHold != null && holdAtLeast.compareTo(maxHold) > 0) {
			throw new IllegalArgumentException("The lock '" + key + "' is to be held at least " + holdAtLeast
					+ ", which is longer than the " + maxHold + " that it may be held at most");
		}
		if (Boolean.TRUE.equals(fair) && (keys.size() > 1 || session != null)) {
			throw new IllegalArgumentException("The lock '" + key + "' cannot be fair: who wants "
					+ ((session != null) ? "it for a session of the caller's own" : "several keys at once")
					+ " does not queue up between JVMs");
		}
		nodeChecks = (nodeChecks != null) ? List.copyOf(nodeChecks) : null;
		serviceChecks = (serviceChecks != null) ? List.copyOf(serviceChecks) : null;
		if (session != null) {
			checkAlone(key, session,
					Map.of("sessionName", Optional.ofNullable(sessionName), "ttl", Optional.ofNullable(ttl),
							"lockDelay", Optional.ofNullable(lockDelay), "behavior", Optional.ofNullable(behavior),
							"nodeChecks", Optional.ofNullable(nodeChecks), "serviceChecks",
							Optional.ofNullable(serviceChecks)));
		}
	}

	private static List<String> sorted(List<String> keys) {
		if (keys.isEmpty()) {
			throw new IllegalArgumentException("A lock needs a key");
		}
		if (keys.size() > MAX_KEYS) {
			throw new IllegalArgumentException("A lock over " + keys.size() + " keys cannot be taken at once: Consul's"
					+ " transactions take " + MAX_KEYS + " keys since 1.14, and 31 before");
		}
		SortedSet<String> distinct = new TreeSet<>();
		for (String key : keys) {
			if (!distinct.add(checkKey(key))) {
				throw new IllegalArgumentException("The key '" + key + "' is given twice");
			}
		}
		return List.copyOf(distinct);
	}

	/**
	 * The key below the registry's prefix; of several, the first in sorted order.
	 */
	public String key() {
		return this.keys.get(0);
	}

	/** What Go's client ignores without a word. */
	private static void checkAlone(String key, String session, Map<String, Optional<?>> settings) {
		if (session.isBlank()) {
			throw new IllegalArgumentException("The session of the lock '" + key + "' must not be blank");
		}
		List<String> contradicting = settings.entrySet()
			.stream()
			.filter((setting) -> setting.getValue().isPresent())
			.map(Map.Entry::getKey)
			.sorted()
			.toList();
		if (!contradicting.isEmpty()) {
			throw new IllegalArgumentException("The lock '" + key + "' has both a session of the caller's own and "
					+ String.join(", ", contradicting) + ", which only a session created here can be given;"
					+ " set one or the other");
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
		return new Builder(Collections.singletonList(key));
	}

	/**
	 * Starts building options of a lock over several keys, of which all are held or none.
	 * @param keys the keys below the registry's prefix, none twice, at most
	 * {@value #MAX_KEYS}
	 * @return a builder
	 */
	public static Builder builder(Collection<String> keys) {
		return new Builder(new ArrayList<>(keys));
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
			throw new IllegalArgumentException("The key '" + printable(key.substring(0, 40)) + "...' has "
					+ key.length() + " characters; at most " + MAX_KEY_LENGTH + " are allowed");
		}
		for (int i = 0; i < key.length(); i++) {
			char c = key.charAt(i);
			boolean alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
			if (!alphanumeric && ",_./-?&=".indexOf(c) < 0) {
				throw new IllegalArgumentException("The key '" + printable(key) + "' has the character '"
						+ printable(String.valueOf(c)) + "' at position " + i
						+ ", which Consul 1.21.5 and later refuse; use ASCII letters, digits and ,_./-?&=");
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

	/** What might begin a new line, or be shown elsewhere than it stands, as its code. */
	private static String printable(String text) {
		return UNPRINTABLE.matcher(text)
			.replaceAll((match) -> String.format("\\\\u%04x", match.group().codePointAt(0)));
	}

	/**
	 * What is set. The value is left out, and so is the session's id, which whoever knows
	 * it could end.
	 */
	@Override
	public String toString() {
		return "LockOptions[keys=" + this.keys + set("waitTime", this.waitTime) + set("fair", this.fair)
				+ set("holdAtLeast", this.holdAtLeast) + set("maxHold", this.maxHold)
				+ set("deleteOnRelease", this.deleteOnRelease)
				+ set("session", (this.session != null) ? "(the caller's own)" : null)
				+ set("sessionName", this.sessionName) + set("ttl", this.ttl) + set("lockDelay", this.lockDelay)
				+ set("behavior", this.behavior) + set("nodeChecks", this.nodeChecks)
				+ set("serviceChecks", this.serviceChecks) + set("datacenter", this.datacenter)
				+ set("namespace", this.namespace) + set("partition", this.partition) + "]";
	}

	private static String set(String name, @Nullable Object setting) {
		return (setting != null) ? ", " + name + "=" + setting : "";
	}

	/**
	 * Builds {@link LockOptions}. For use by one thread.
	 */
	public static final class Builder {

		private final List<String> keys;

		private @Nullable String value;

		private @Nullable Duration waitTime;

		private @Nullable Boolean tryOnce;

		private @Nullable Boolean fair;

		private @Nullable Duration holdAtLeast;

		private @Nullable Duration maxHold;

		private @Nullable Boolean deleteOnRelease;

		private @Nullable String session;

		private @Nullable String sessionName;

		private @Nullable Duration ttl;

		private @Nullable Duration lockDelay;

		private @Nullable SessionBehavior behavior;

		private @Nullable List<String> nodeChecks;

		private @Nullable List<String> serviceChecks;

		private @Nullable String datacenter;

		private @Nullable String namespace;

		private @Nullable String partition;

		private Builder(List<String> keys) {
			this.keys = keys;
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
		 * Whether the lock, when it is free, goes to the one that has waited longest,
		 * even if another JVM asks for it first. Default: the registry's setting.
		 * Contradicts several keys and a session of the caller's own.
		 * @param fair whether it does
		 * @return this builder
		 */
		public Builder fair(boolean fair) {
			this.fair = fair;
			return this;
		}

		/**
		 * How long others are kept out at least, from the acquisition: a release that
		 * comes earlier takes effect then. Default: not at all. A process that ends gives
		 * the lock up all the same.
		 * @param holdAtLeast the time
		 * @return this builder
		 */
		public Builder holdAtLeast(Duration holdAtLeast) {
			this.holdAtLeast = holdAtLeast;
			return this;
		}

		/**
		 * How long the lock may be held: then its holder is told that it is lost, and it
		 * is given up when the holder releases it, but no later than lock-delay
		 * afterwards. Default: without limit.
		 * @param maxHold the time, above zero
		 * @return this builder
		 */
		public Builder maxHold(Duration maxHold) {
			this.maxHold = maxHold;
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
		 * The caller's own session, which is to hold the lock. It is neither renewed nor
		 * destroyed here; where it holds the key already, the lock is acquired at once.
		 * Contradicts all settings of a session to create. Default: the registry's
		 * session.
		 * @param session the id of a session in Consul
		 * @return this builder
		 */
		public Builder session(String session) {
			this.session = session;
			return this;
		}

		/**
		 * The name of the session. Like all settings of the session that differ from the
		 * registry's, it has the lock held by a session apart, shared by locks with the
		 * same settings. Default: the registry's setting.
		 * @param sessionName the name
		 * @return this builder
		 */
		public Builder sessionName(String sessionName) {
			this.sessionName = sessionName;
			return this;
		}

		/**
		 * The session's TTL. Default: the registry's setting.
		 * @param ttl 10 s to 24 h
		 * @return this builder
		 */
		public Builder ttl(Duration ttl) {
			this.ttl = ttl;
			return this;
		}

		/**
		 * How long the key stays closed after the session was invalidated. Default: the
		 * registry's setting. Below the TTL, a new holder may come before the former one
		 * knows of its loss, which the registry must allow.
		 * @param lockDelay 0 to 60 s
		 * @return this builder
		 */
		public Builder lockDelay(Duration lockDelay) {
			this.lockDelay = lockDelay;
			return this;
		}

		/**
		 * What becomes of the entry when the session is invalidated. Default: the
		 * registry's setting.
		 * @param behavior what becomes of it
		 * @return this builder
		 */
		public Builder behavior(SessionBehavior behavior) {
			this.behavior = behavior;
			return this;
		}

		/**
		 * The node checks that the session is bound to. Default: the registry's setting.
		 * @param nodeChecks ids of checks of the agent's node; empty for none
		 * @return this builder
		 */
		public Builder nodeChecks(List<String> nodeChecks) {
			this.nodeChecks = nodeChecks;
			return this;
		}

		/**
		 * The service checks that the session is bound to. Default: the registry's
		 * setting.
		 * @param serviceChecks ids of service checks; empty for none
		 * @return this builder
		 */
		public Builder serviceChecks(List<String> serviceChecks) {
			this.serviceChecks = serviceChecks;
			return this;
		}

		/**
		 * The datacenter where the lock is. Default: that of the connection.
		 * @param datacenter its name
		 * @return this builder
		 */
		public Builder datacenter(String datacenter) {
			this.datacenter = datacenter;
			return this;
		}

		/**
		 * The namespace where the lock is; Consul Enterprise only. Default: that of the
		 * connection.
		 * @param namespace its name
		 * @return this builder
		 */
		public Builder namespace(String namespace) {
			this.namespace = namespace;
			return this;
		}

		/**
		 * The admin partition where the lock is; Consul Enterprise only. Default: that of
		 * the connection.
		 * @param partition its name
		 * @return this builder
		 */
		public Builder partition(String partition) {
			this.partition = partition;
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
					throw new IllegalArgumentException("The lock '" + this.keys.get(0)
							+ "' has both tryOnce and a wait time of " + wait + "; set one of them");
				}
				wait = Duration.ZERO;
			}
			return new LockOptions(this.keys, this.value, wait, this.fair, this.holdAtLeast, this.maxHold,
					this.deleteOnRelease, this.session, this.sessionName, this.ttl, this.lockDelay, this.behavior,
					this.nodeChecks, this.serviceChecks, this.datacenter, this.namespace, this.partition);
		}

	}

}
