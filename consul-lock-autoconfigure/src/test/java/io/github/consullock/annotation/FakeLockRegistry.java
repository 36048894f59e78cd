package io.github.consullock.annotation;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.github.consullock.LockHandle;
import io.github.consullock.LockHolder;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.lock.Acquirable;
import io.github.consullock.lock.ConsulLock;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulReadWriteLock;
import io.github.consullock.lock.ConsulSemaphore;
import org.jspecify.annotations.Nullable;

/**
 * A registry whose locks are lost when a test says so, on the thread that says so.
 */
class FakeLockRegistry implements ConsulLockRegistry {

	static final String PREFIX = "locks/";

	final List<String> events = new CopyOnWriteArrayList<>();

	final List<LockOptions> obtained = new CopyOnWriteArrayList<>();

	volatile @Nullable RuntimeException failure;

	/** What acquisitions that keep no thread wait for. */
	volatile CompletableFuture<Void> turn = CompletableFuture.completedFuture(null);

	/** What happens at the last moment. */
	volatile Consumer<FakeHandle> beforeRelease = (handle) -> {
	};

	private final Map<String, FakeHandle> held = new ConcurrentHashMap<>();

	private final AtomicLong tokens = new AtomicLong();

	@Override
	public ConsulLock obtain(LockOptions options) {
		this.obtained.add(options);
		return new FakeLock(options.keys().stream().map((key) -> PREFIX + key).toList());
	}

	@Override
	public ConsulSemaphore semaphore(LockOptions options, int limit) {
		this.obtained.add(options);
		return new FakeSemaphore(PREFIX + options.key(), limit);
	}

	@Override
	public ConsulReadWriteLock readWriteLock(LockOptions options) {
		throw new UnsupportedOperationException();
	}

	LockOptions lastObtained() {
		return this.obtained.get(this.obtained.size() - 1);
	}

	FakeHandle holder(String key) {
		FakeHandle handle = this.held.get(PREFIX + key);
		if (handle == null) {
			throw new IllegalStateException(key + " is not held, but " + this.held.keySet());
		}
		return handle;
	}

	boolean isFree() {
		return this.held.isEmpty();
	}

	@Override
	public List<LockHandle> heldLocks() {
		return List.copyOf(this.held.values());
	}

	@Override
	public <T> T executeLocked(String key, Duration waitTime, Callable<T> task) {
		throw new UnsupportedOperationException();
	}

	@Override
	public void close() {
	}

	/** As BlockHound would. */
	private static void checkMayBlock() {
		if (ReturnTypes.isNamed(Thread.currentThread().getClass(), "reactor.core.scheduler.NonBlocking")) {
			throw new IllegalStateException("This thread must not block");
		}
	}

	/** All of the slots, or none. */
	private LockHandle acquire(List<String> slots, List<String> keys) {
		checkMayBlock();
		if (Thread.currentThread().isInterrupted()) {
			throw new LockInterruptedException("interrupted");
		}
		RuntimeException failure = this.failure;
		if (failure != null) {
			throw failure;
		}
		FakeHandle handle = new FakeHandle(keys, slots);
		for (String slot : slots) {
			if (this.held.putIfAbsent(slot, handle) != null) {
				handle.forget();
				throw new LockNotAcquiredException(keys.get(0), "held by somebody");
			}
		}
		this.events.add("acquire " + String.join(" ", slots));
		return handle;
	}

	abstract class FakeAcquirable implements Acquirable {

		@Override
		public LockHandle acquire(Duration waitTime) {
			return acquire();
		}

		@Override
		public Optional<LockHandle> tryAcquire(Duration waitTime) {
			throw new UnsupportedOperationException();
		}

		@Override
		public CompletableFuture<LockHandle> acquireAsync() {
			CompletableFuture<LockHandle> acquisition = new CompletableFuture<>();
			FakeLockRegistry.this.turn.thenRunAsync(() -> {
				if (acquisition.isDone()) {
					return;
				}
				try {
					LockHandle handle = acquire();
					if (!acquisition.complete(handle)) {
						handle.release();
					}
				}
				catch (RuntimeException ex) {
					acquisition.completeExceptionally(ex);
				}
			});
			acquisition.whenComplete((handle, failure) -> {
				if (acquisition.isCancelled()) {
					FakeLockRegistry.this.events.add("cancel " + key());
				}
			});
			return acquisition;
		}

		@Override
		public CompletableFuture<LockHandle> acquireAsync(Duration waitTime) {
			return acquireAsync();
		}

	}

	final class FakeSemaphore extends FakeAcquirable implements ConsulSemaphore {

		private final String key;

		private final int limit;

		private FakeSemaphore(String key, int limit) {
			this.key = key;
			this.limit = limit;
		}

		@Override
		public String key() {
			return this.key;
		}

		@Override
		public LockHandle acquire() {
			for (int i = 1;; i++) {
				try {
					return FakeLockRegistry.this.acquire(List.of(this.key + "#" + i), List.of(this.key));
				}
				catch (LockNotAcquiredException ex) {
					if (i == this.limit) {
						throw ex;
					}
				}
			}
		}

		@Override
		public int limit() {
			return this.limit;
		}

		@Override
		public List<LockHolder> holders() {
			throw new UnsupportedOperationException();
		}

		@Override
		public void destroy() {
			throw new UnsupportedOperationException();
		}

	}

	final class FakeLock extends FakeAcquirable implements ConsulLock {

		private final List<String> keys;

		private FakeLock(List<String> keys) {
			this.keys = keys;
		}

		@Override
		public String key() {
			return this.keys.get(0);
		}

		@Override
		public LockHandle acquire() {
			return FakeLockRegistry.this.acquire(this.keys, this.keys);
		}

		@Override
		public List<String> keys() {
			return this.keys;
		}

		@Override
		public Optional<LockHolder> holder() {
			throw new UnsupportedOperationException();
		}

		@Override
		public void destroy() {
			throw new UnsupportedOperationException();
		}

		@Override
		public void lock() {
			throw new UnsupportedOperationException();
		}

		@Override
		public void lockInterruptibly() {
			throw new UnsupportedOperationException();
		}

		@Override
		public boolean tryLock() {
			throw new UnsupportedOperationException();
		}

		@Override
		public boolean tryLock(long time, TimeUnit unit) {
			throw new UnsupportedOperationException();
		}

		@Override
		public void unlock() {
			throw new UnsupportedOperationException();
		}

	}

	final class FakeHandle implements LockHandle {

		private final List<String> keys;

		private final List<String> slots;

		private final long token = FakeLockRegistry.this.tokens.incrementAndGet();

		private final List<Consumer<LockLostReason>> callbacks = new CopyOnWriteArrayList<>();

		private final ReentrantLock telling = new ReentrantLock();

		private volatile @Nullable LockLostReason lost;

		private volatile boolean released;

		private FakeHandle(List<String> keys, List<String> slots) {
			this.keys = keys;
			this.slots = slots;
		}

		private void forget() {
			this.slots.forEach((slot) -> FakeLockRegistry.this.held.remove(slot, this));
		}

		/** Tells on the calling thread. */
		void lose(LockLostReason reason) {
			loseSilently(reason);
			tell();
		}

		/** After the lock was lost silently: the callback arrives. */
		void tell() {
			LockLostReason reason = this.lost;
			if (reason != null) {
				this.callbacks.forEach((callback) -> callback.accept(reason));
			}
		}

		/** Loses the lock without a word: the callback is still on its way. */
		void loseSilently(LockLostReason reason) {
			this.telling.lock();
			this.lost = reason;
			this.telling.unlock();
			forget();
		}

		@Override
		public String key() {
			return this.keys.get(0);
		}

		@Override
		public List<String> keys() {
			return this.keys;
		}

		@Override
		public long fencingToken() {
			return this.token;
		}

		@Override
		public boolean isHeld() {
			return this.lost == null && !this.released;
		}

		@Override
		public Duration remaining() {
			return isHeld() ? Duration.ofSeconds(25) : Duration.ZERO;
		}

		@Override
		public void ensureHeld() {
			LockLostReason reason = this.lost;
			if (reason != null) {
				throw new LockLostException(key(), this.token, reason);
			}
			if (this.released) {
				throw new IllegalStateException("released");
			}
		}

		@Override
		public void onLost(Consumer<LockLostReason> callback) {
			this.telling.lock();
			LockLostReason reason = this.lost;
			if (reason == null) {
				this.callbacks.add(callback);
			}
			this.telling.unlock();
			if (reason != null) {
				callback.accept(reason);
			}
		}

		@Override
		public boolean release() {
			checkMayBlock();
			FakeLockRegistry.this.beforeRelease.accept(this);
			if (this.lost != null) {
				// Whoever loses it may not have come so far yet.
				forget();
				FakeLockRegistry.this.events.add("release lost " + String.join(" ", this.slots));
				return false;
			}
			if (!this.released) {
				this.released = true;
				forget();
				FakeLockRegistry.this.events.add("release " + String.join(" ", this.slots));
			}
			return true;
		}

		@Override
		public CompletableFuture<Boolean> releaseAsync() {
			return CompletableFuture.supplyAsync(this::release);
		}

		@Override
		public void guardedPut(String entry, String value) {
			throw new UnsupportedOperationException();
		}

		@Override
		public void close() {
			release();
		}

	}

}
