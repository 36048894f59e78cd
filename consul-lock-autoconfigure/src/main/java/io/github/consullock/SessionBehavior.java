package io.github.consullock;

/**
 * What becomes of a session's keys when it is invalidated.
 *
 * @since 0.1.0
 */
public enum SessionBehavior {

	/**
	 * They stay and are free, once lock-delay is over.
	 */
	RELEASE,

	/**
	 * They are deleted.
	 */
	DELETE

}
