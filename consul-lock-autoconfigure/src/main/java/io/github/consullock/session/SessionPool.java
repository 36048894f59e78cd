package io.github.consullock.session;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import io.github.consullock.consul.ConsulClient;

/**
 * Temporary.
 */
public final class SessionPool implements AutoCloseable {

	private final ConsulClient client;

	private final SessionSettings settings;

	private final SessionListener listener;

	private final Deque<SessionKeeper> idle = new ArrayDeque<>();

	private final Set<SessionKeeper> all = ConcurrentHashMap.newKeySet();

	public SessionPool(ConsulClient client, SessionSettings settings, SessionListener listener) {
		this.client = client;
		this.settings = settings;
		this.listener = listener;
	}

	public synchronized SessionKeeper lease() {
		SessionKeeper keeper = this.idle.poll();
		if (keeper == null) {
			keeper = new SessionKeeper(this.client, this.settings, this.listener);
			this.all.add(keeper);
		}
		return keeper;
	}

	public synchronized void giveBack(SessionKeeper keeper) {
		this.idle.push(keeper);
	}

	public void verify(ConsulSession session) {
		this.all.forEach((keeper) -> keeper.verify(session));
	}

	@Override
	public void close() {
		this.all.forEach(SessionKeeper::close);
	}

}
