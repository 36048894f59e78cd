package io.github.consullock.annotation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

import io.github.consullock.LockLostReason;
import org.jspecify.annotations.Nullable;

/**
 * Interrupts one thread when a lock is lost under which it runs, such that the interrupt
 * comes while the body runs or not at all: after {@link Cancellation#end()} the thread
 * goes on to work that has nothing to do with the lock, and must not find an interrupt of
 * ours there.
 * <p>
 * One for all holds of a thread, for they share its interrupt flag: the end of one
 * cancelled body must not take away the interrupt that is meant for another one around
 * it.
 * <p>
 * An interrupt by somebody else stays set, if it was set when the loss came. Any that
 * comes between the loss and the end of the body cannot be told from ours, and is cleared
 * with it.
 */
final class InterruptHandshake {

	private final ReentrantLock lock = new ReentrantLock();

	private final Thread thread;

	/** Those that have interrupted, and whose body runs. */
	private final List<Cancellation> fired = new ArrayList<>(2);

	private boolean interruptedByOthers;

	InterruptHandshake(Thread thread) {
		this.thread = thread;
	}

	/**
	 * The cancellation of the bodies that run under one hold.
	 * @return a new one, with nothing to cancel
	 */
	Cancellation newCancellation() {
		return new Cancellation();
	}

	/**
	 * How far one hold and its body are.
	 */
	enum State {

		/** Held, and no body runs that is to be cancelled. */
		IDLE,

		/** Held, and a body runs that is to be cancelled. */
		RUNNING,

		/** Lost, and the body that runs was interrupted. */
		INTERRUPTED,

		/** Lost, and no body runs that is to be cancelled. */
		LOST

	}

	/**
	 * Cancels the bodies that run under one hold. {@link #lost} may come from any thread,
	 * the rest is called by the thread that runs the bodies.
	 */
	final class Cancellation {

		private State state = State.IDLE;

		private @Nullable LockLostReason reason;

		private Cancellation() {
		}

		/**
		 * The hold was lost. Interrupts a running body.
		 * @param reason why
		 */
		void lost(LockLostReason reason) {
			InterruptHandshake.this.lock.lock();
			try {
				this.reason = reason;
				if (this.state == State.RUNNING) {
					this.state = State.INTERRUPTED;
					interrupt(this);
				}
				else if (this.state == State.IDLE) {
					this.state = State.LOST;
				}
			}
			finally {
				InterruptHandshake.this.lock.unlock();
			}
		}

		/**
		 * A body is about to run that is to be cancelled.
		 * @return whether to call {@link #end()} after it: not if one around it is
		 * cancelled anyway, nor if the hold is lost
		 */
		boolean begin() {
			InterruptHandshake.this.lock.lock();
			try {
				if (this.state != State.IDLE) {
					return false;
				}
				this.state = State.RUNNING;
				return true;
			}
			finally {
				InterruptHandshake.this.lock.unlock();
			}
		}

		/**
		 * The body has ended. From here on nothing interrupts the thread on its behalf.
		 */
		void end() {
			// Waits for an interrupt that is under way; a wait for a ReentrantLock keeps
			// the flag.
			InterruptHandshake.this.lock.lock();
			try {
				if (this.state == State.INTERRUPTED) {
					this.state = State.LOST;
					settle(this);
				}
				else if (this.state == State.RUNNING) {
					this.state = State.IDLE;
				}
			}
			finally {
				InterruptHandshake.this.lock.unlock();
			}
		}

		/**
		 * Why the hold was lost, or {@code null} if it is not known to be.
		 */
		@Nullable LockLostReason reason() {
			InterruptHandshake.this.lock.lock();
			try {
				return this.reason;
			}
			finally {
				InterruptHandshake.this.lock.unlock();
			}
		}

	}

	private void interrupt(Cancellation cancellation) {
		if (this.fired.isEmpty()) {
			this.interruptedByOthers = this.thread.isInterrupted();
		}
		this.fired.add(cancellation);
		// Even if the flag is set: the body may be about to take that one for something
		// else.
		this.thread.interrupt();
	}

	private void settle(Cancellation cancellation) {
		this.fired.remove(cancellation);
		if (!this.fired.isEmpty()) {
			// A body around this one is cancelled as well; its interrupt may be gone.
			this.thread.interrupt();
		}
		else if (!this.interruptedByOthers) {
			Thread.interrupted();
		}
	}

}
