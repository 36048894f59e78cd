package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fence of the present session, made when first needed, and the removal of those that
 * no session holds any more: our own, and what crashed processes left.
 */
final class Fences {

	private static final Logger logger = LoggerFactory.getLogger(Fences.class);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private static final int SWEEP_BATCH = 32;

	private final ConsulClient client;

	private final String root;

	private final Executor background;

	private final Consumer<ConsulSession> verifier;

	private final ReentrantLock lock = new ReentrantLock();

	private final Set<String> obsolete = ConcurrentHashMap.newKeySet();

	private volatile @Nullable Fence current;

	Fences(ConsulClient client, String keyPrefix, Executor background, Consumer<ConsulSession> verifier) {
		this.client = client;
		this.verifier = verifier;
		this.root = keyPrefix + LockOptions.RESERVED_SEGMENT + "/fences/";
		this.background = background;
	}

	/**
	 * The fence of a session.
	 * @throws ConsulUnavailableException if it cannot be made now
	 */
	Fence of(ConsulSession session, Duration timeout) {
		Fence known = this.current;
		if (known != null && known.session() == session) {
			return known;
		}
		if (!session.isLive()) {
			// It would be left behind, since the end of this session is past.
			throw new ConsulUnavailableException("The session " + session + " has ended");
		}
		Fence made = new Fence(this.client, session, this.root + session.id(), this.verifier);
		this.obsolete.add(made.key());
		made.move(timeout);
		this.lock.lock();
		try {
			known = this.current;
			if (known != null && known.session() == session) {
				return known;
			}
			this.current = made;
		}
		finally {
			this.lock.unlock();
		}
		this.background.execute(this::sweep);
		return made;
	}

	/** Removes the fence of a session that is over. */
	void ended(ConsulSession session) {
		if (this.obsolete.contains(this.root + session.id())) {
			this.background.execute(() -> remove(this.root + session.id()));
		}
	}

	/** Removes all fences of this process; their sessions must be over or unused. */
	void close() {
		List.copyOf(this.obsolete).forEach(this::remove);
	}

	private void remove(String key) {
		try {
			this.client.transact(List.of(KvOperation.delete(key)), TIMEOUT);
			this.obsolete.remove(key);
		}
		catch (RuntimeException ex) {
			logger.debug("The fence {} stays until somebody sweeps it: {}", key, ex.getMessage());
		}
	}

	private void sweep() {
		try {
			List<KvOperation> removals = new ArrayList<>();
			for (KvEntry entry : this.client.list(this.root)) {
				if (entry.session() == null && removals.size() < 2 * SWEEP_BATCH) {
					removals.add(KvOperation.checkIndex(entry.key(), entry.modifyIndex()));
					removals.add(KvOperation.delete(entry.key()));
				}
			}
			if (!removals.isEmpty()) {
				this.client.transact(removals, TIMEOUT);
			}
		}
		catch (RuntimeException ex) {
			logger.debug("Fences not swept: {}", ex.getMessage());
		}
	}

}
