package io.github.consullock.autoconfigure;

/**
 * An annotated bean in an application that has locking switched off.
 */
@SuppressWarnings("serial") // never serialized
final class LockingDisabledException extends IllegalStateException {

	LockingDisabledException(String beanName, Class<?> beanClass) {
		super("The bean '" + beanName + "' (" + beanClass.getName()
				+ ") has @DistributedLock methods, but consul.lock.enabled is false: they would run unlocked");
	}

}
