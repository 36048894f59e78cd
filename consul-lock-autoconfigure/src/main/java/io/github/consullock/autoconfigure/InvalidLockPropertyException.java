package io.github.consullock.autoconfigure;

import org.jspecify.annotations.Nullable;

/**
 * A property whose value cannot be used.
 */
@SuppressWarnings("serial") // never serialized
final class InvalidLockPropertyException extends IllegalArgumentException {

	private final String property;

	/**
	 * Creates the exception.
	 * @param property the full name of the property
	 * @param message what it must be and what it is, as a sentence that names the
	 * property
	 */
	InvalidLockPropertyException(String property, String message) {
		this(property, message, null);
	}

	InvalidLockPropertyException(String property, String message, @Nullable Throwable cause) {
		super(message, cause);
		this.property = property;
	}

	String property() {
		return this.property;
	}

}
