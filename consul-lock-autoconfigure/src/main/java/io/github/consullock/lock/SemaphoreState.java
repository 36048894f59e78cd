package io.github.consullock.lock;

import java.util.SortedSet;
import java.util.TreeSet;

import io.github.consullock.LockConflictException;
import io.github.consullock.consul.KvEntry;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a semaphore's state entry says, as Go's client writes it:
 * {@code {"Limit":3,"Holders":{"<session>":true}}}.
 *
 * @param limit how many may hold a permit
 * @param holders the sessions of those who do, living or dead; may be changed
 */
record SemaphoreState(int limit, SortedSet<String> holders) {

	private static final String LIMIT = "Limit";

	private static final String HOLDERS = "Holders";

	/**
	 * Reads the state.
	 * @param entry the entry, or {@code null} if there is none
	 * @param limit what holds where it says nothing
	 * @return the state, or {@code null} if the entry is no semaphore's
	 */
	static @Nullable SemaphoreState read(@Nullable KvEntry entry, int limit) {
		if (entry == null) {
			return new SemaphoreState(limit, new TreeSet<>());
		}
		if (entry.flags() != LockFlags.SEMAPHORE) {
			return null;
		}
		if (entry.value().isEmpty()) {
			return new SemaphoreState(limit, new TreeSet<>());
		}
		try {
			return parse(entry.value());
		}
		catch (JacksonException ex) {
			return null;
		}
	}

	private static @Nullable SemaphoreState parse(String value) {
		JsonNode json = JsonMapper.shared().readTree(value);
		JsonNode limit = json.path(LIMIT);
		JsonNode holders = json.path(HOLDERS);
		if (!limit.canConvertToInt() || !(holders.isObject() || holders.isNull() || holders.isMissingNode())) {
			return null;
		}
		return new SemaphoreState(limit.intValue(), new TreeSet<>(holders.propertyNames()));
	}

	/**
	 * The state, if it is the one of this semaphore.
	 * @throws LockConflictException if the entry is no semaphore's, or has another limit
	 */
	static SemaphoreState checked(@Nullable KvEntry entry, SemaphoreLock lock) {
		SemaphoreState state = read(entry, lock.limit());
		if (state == null) {
			throw new LockConflictException("The key '" + lock.stateKey() + "' holds something that is no semaphore: "
					+ ((entry != null && entry.flags() != LockFlags.SEMAPHORE)
							? "its flags are " + Long.toUnsignedString(entry.flags()) + " instead of "
									+ Long.toUnsignedString(LockFlags.SEMAPHORE)
							: "it does not tell a limit and holders")
					+ ". It is not overwritten; use another key, or delete that entry if it is of no use");
		}
		if (state.limit() != lock.limit()) {
			throw new LockConflictException("The semaphore '" + lock.key() + "' has a limit of " + state.limit()
					+ " in Consul, and is asked for with a limit of " + lock.limit()
					+ ": all who use it must agree on one. destroy() removes the one in Consul while nobody holds"
					+ " a permit");
		}
		return state;
	}

	/** What the entry holds. */
	String value() {
		ObjectNode json = JsonMapper.shared().createObjectNode();
		json.put(LIMIT, this.limit);
		ObjectNode object = json.putObject(HOLDERS);
		this.holders.forEach((holder) -> object.put(holder, true));
		return json.toString();
	}

}
