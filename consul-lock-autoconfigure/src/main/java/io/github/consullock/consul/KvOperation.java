package io.github.consullock.consul;

import java.util.Locale;

import org.jspecify.annotations.Nullable;

/**
 * One operation of a transaction.
 *
 * @param verb what to do
 * @param key the full key
 * @param value the value to write, as UTF-8 text, or {@code null} where none is written
 * @param flags the flags to write, 64 bits unsigned; 0 where none are written
 * @param index the index to compare with; 0 where none is compared
 * @param session the session concerned, or {@code null} where none is
 * @see <a href="https://developer.hashicorp.com/consul/api-docs/txn">Transactions, HTTP
 * API</a>
 * @since 0.1.0
 */
public record KvOperation(Verb verb, String key, @Nullable String value, long flags, long index,
		@Nullable String session) {

	/** Without its value, and without ids of sessions. */
	@Override
	public String toString() {
		return "KvOperation[" + this.verb + ", key=" + LogText.withoutIds(this.key) + ", index=" + this.index
				+ ", session=" + LogText.withoutIds(String.valueOf(this.session)) + "]";
	}

	/**
	 * Fails unless the entry was last changed at this index.
	 */
	public static KvOperation checkIndex(String key, long index) {
		return new KvOperation(Verb.CHECK_INDEX, key, null, 0, index, null);
	}

	/**
	 * Fails if there is an entry.
	 */
	public static KvOperation checkNotExists(String key) {
		return new KvOperation(Verb.CHECK_NOT_EXISTS, key, null, 0, 0, null);
	}

	/**
	 * Fails unless this session holds the entry.
	 */
	public static KvOperation checkSession(String key, String session) {
		return new KvOperation(Verb.CHECK_SESSION, key, null, 0, 0, session);
	}

	/**
	 * Writes the entry and has the session hold it.
	 */
	public static KvOperation lock(String key, String session, String value, long flags) {
		return new KvOperation(Verb.LOCK, key, value, flags, 0, session);
	}

	/**
	 * Writes the entry and ends the session's hold of it.
	 */
	public static KvOperation unlock(String key, String session, String value, long flags) {
		return new KvOperation(Verb.UNLOCK, key, value, flags, 0, session);
	}

	/**
	 * Writes the entry; who holds it stays as it is.
	 */
	public static KvOperation set(String key, String value, long flags) {
		return new KvOperation(Verb.SET, key, value, flags, 0, null);
	}

	/**
	 * Deletes the entry; succeeds if there is none.
	 */
	public static KvOperation delete(String key) {
		return new KvOperation(Verb.DELETE, key, null, 0, 0, null);
	}

	/**
	 * Deletes the entry if it was last changed at this index; fails if it was changed
	 * since, but succeeds if there is none.
	 */
	public static KvOperation deleteCas(String key, long index) {
		return new KvOperation(Verb.DELETE_CAS, key, null, 0, index, null);
	}

	/**
	 * Tells the entry; fails if there is none. One that the token may not read is left
	 * out of the answer.
	 */
	public static KvOperation get(String key) {
		return new KvOperation(Verb.GET, key, null, 0, 0, null);
	}

	/**
	 * Tells all entries whose keys begin with a prefix, those changed by the operations
	 * before it as these left them. Those that the token may not read are left out of the
	 * answer.
	 */
	public static KvOperation getTree(String prefix) {
		return new KvOperation(Verb.GET_TREE, prefix, null, 0, 0, null);
	}

	/**
	 * What an operation does.
	 */
	public enum Verb {

		CHECK_INDEX, CHECK_NOT_EXISTS, CHECK_SESSION, GET, GET_TREE, LOCK, UNLOCK, SET, DELETE, DELETE_CAS;

		private final String text = name().toLowerCase(Locale.ROOT).replace('_', '-');

		/**
		 * Whether it looks only, and changes nothing.
		 * @return whether it is one of the checks, or reads
		 */
		public boolean isRead() {
			return ordinal() <= GET_TREE.ordinal();
		}

		/** Whether the entry is there after it, so that the answer tells of it. */
		boolean leavesEntry() {
			return this == LOCK || this == UNLOCK || this == SET;
		}

		/** As Consul writes it. */
		String text() {
			return this.text;
		}

	}

}
