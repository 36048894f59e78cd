package io.github.consullock.annotation;

/**
 * Runs a body whose work is done when the future that it returns is. The caller gets
 * another future at once.
 */
final class FutureExecution implements LockedExecution {

	@Override
	public Object execute(LockedCall call) {
		return new FutureCall(call.later()).start();
	}

}
