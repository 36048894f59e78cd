package io.github.consullock.autoconfigure;

/**
 * Locks inside one JVM in an application that other JVMs probably run as well.
 */
@SuppressWarnings("serial") // never serialized
final class LocalModeRefusedException extends IllegalStateException {

	LocalModeRefusedException() {
		super("consul.lock.mode is 'local', whose locks exclude nobody outside this JVM, but the application registers"
				+ " itself in Consul, where other instances of it may be");
	}

}
