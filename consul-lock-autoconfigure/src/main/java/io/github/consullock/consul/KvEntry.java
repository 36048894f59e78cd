package io.github.consullock.consul;

import org.jspecify.annotations.Nullable;

/**
 * An entry of the key-value store.
 *
 * @param key the full key
 * @param value the value as UTF-8 text; empty in the results of a transaction's writes
 * @param flags 64 bits, unsigned: print with {@link Long#toUnsignedString(long)}
 * @param session the session that holds it, or {@code null}
 * @param createIndex the Raft index of the write that made it
 * @param modifyIndex the Raft index of its last change
 * @since 0.1.0
 */
public record KvEntry(String key, String value, long flags, @Nullable String session, long createIndex,
		long modifyIndex) {

	/** Without its value, and without ids of sessions. */
	@Override
	public String toString() {
		return "KvEntry[key=" + LogText.withoutIds(this.key) + ", flags=" + Long.toUnsignedString(this.flags)
				+ ", session=" + LogText.withoutIds(String.valueOf(this.session)) + ", createIndex=" + this.createIndex
				+ ", modifyIndex=" + this.modifyIndex + "]";
	}

}
