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

	private LockFlags() {
	}

}
