package io.github.consullock.lock;

/**
 * The flags by which clients of Consul recognise each other's entries.
 */
final class LockFlags {

	/**
	 * Marks a lock's entry, as {@code LockFlagValue} of Go's {@code api.Lock} does.
	 *
	 * @see <a href="https://pkg.go.dev/github.com/hashicorp/consul/api#LockFlagValue">Go
	 * API client</a>
	 */
	static final long LOCK = 3304740253564472344L;

	/**
	 * Marks the entries of a semaphore, as {@code SemaphoreFlagValue} of Go's
	 * {@code api.Semaphore} does; beyond the range of a signed {@code long}.
	 *
	 * @see <a href=
	 * "https://pkg.go.dev/github.com/hashicorp/consul/api#SemaphoreFlagValue">Go API
	 * client</a>
	 */
	static final long SEMAPHORE = Long.parseUnsignedLong("16210313421097356768");

	/** Marks the entries of a read-write lock, which is of this library alone. */
	static final long READ_WRITE = 0x72772d6c6f636b31L;

	private LockFlags() {
	}

}
