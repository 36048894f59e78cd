package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.LogText;
import io.github.consullock.session.ConsulSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fences of the present sessions, made when first needed, and their removal.
 */
final class Fences {

	private static final Logger logger = LoggerFactory.getLogger(Fences.class);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	/** In one transaction. */
	private static final int MAX_REMOVED = 64;

	private final ConsulClient client;

	private final Sweeper sweeper;

	private final String suffix;

	private final Executor background;

	private final Consumer<ConsulSession> verifier;

	private final Set<String> obsolete = ConcurrentHashMap.newKeySet();

	private final ConcurrentMap<ConsulSession, Fence> fences = new ConcurrentHashMap<>();

	/**
	 * Creates a collection without fences.
	 * @param suffix tells its fences from those that other processes have of the same
	 * sessions; empty where a session is nobody else's
	 * @param verifier told of a session when Consul knows it no more
	 */
	Fences(ConsulClient client, String keyPrefix, String suffix, Executor background,
			Consumer<ConsulSession> verifier) {
		this.suffix = suffix;
		this.client = client;
		this.verifier = verifier;
		this.sweeper = new Sweeper(client, keyPrefix);
		this.background = background;
	}

	/**
	 * The fence of a session.
	 * @throws ConsulUnavailableException if it cannot be made now
	 */
	Fence of(ConsulSession session, Duration timeout) {
		Fence known = this.fences.get(session);
		if (known != null) {
			return known;
		}
		if (!session.isLive()) {
			// It would be left behind, since the end of this session is past.
			throw new ConsulUnavailableException("The session " + session + " has ended");
		}
		Fence made = new Fence(this.client, session, key(session), this.verifier);
		this.obsolete.add(made.key());
		made.move(timeout);
		known = this.fences.putIfAbsent(session, made);
		if (known != null) {
			return known;
		}
		this.fences.keySet().removeIf((other) -> !other.isLive());
		this.background.execute(this.sweeper::sweep);
		return made;
	}

	private String key(ConsulSession session) {
		return this.sweeper.fences() + session.id() + this.suffix;
	}

	/** Removes the fence of a session that is over. */
	void ended(ConsulSession session) {
		this.fences.remove(session);
		if (this.obsolete.contains(key(session))) {
			this.background.execute(() -> remove(List.of(key(session))));
		}
	}

	/** Removes all fences of this process; their sessions must be over or unused. */
	void close() {
		List<String> keys = List.copyOf(this.obsolete);
		boolean answered = true;
		for (int from = 0; from < keys.size() && answered; from += MAX_REMOVED) {
			answered = remove(keys.subList(from, Math.min(from + MAX_REMOVED, keys.size())));
		}
	}

	private boolean remove(List<String> keys) {
		try {
			this.client.transact(keys.stream().map(KvOperation::delete).toList(), TIMEOUT);
			keys.forEach(this.obsolete::remove);
			return true;
		}
		catch (RuntimeException ex) {
			logger.debug("The fences {} stay until somebody sweeps them: {}", LogText.withoutIds(keys.toString()),
					ex.getMessage());
			return false;
		}
	}

}
