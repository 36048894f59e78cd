package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.consul.TransactionOutcome.RolledBack;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after the keys for which no blocking query is left: a transaction of checks tells
 * for 64 keys at once which of them have changed, and Consul serves it as a read.
 */
final class BatchPoll {

	private static final Logger logger = LoggerFactory.getLogger(BatchPoll.class);

	private static final int BATCH = 64;

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final ConsulClient client;

	private final Background background;

	private final Consumer<KeyWatch> told;

	private final Duration pace;

	private final Duration pause;

	private final Set<KeyWatch> watches = ConcurrentHashMap.newKeySet();

	private final AtomicBoolean scheduled = new AtomicBoolean();

	/** Of the one round at a time. */
	private final Backoff backoff = new Backoff();

	/**
	 * Creates one without keys.
	 * @param told gets each watch that was told of a change
	 * @param pace the time from one batch to the next
	 * @param pause the time between rounds, in addition
	 */
	BatchPoll(ConsulClient client, Background background, Consumer<KeyWatch> told, Duration pace, Duration pause) {
		this.client = client;
		this.background = background;
		this.told = told;
		this.pace = pace;
		this.pause = pause;
	}

	void add(KeyWatch watch) {
		this.watches.add(watch);
		schedule(this.pace);
	}

	void remove(KeyWatch watch) {
		this.watches.remove(watch);
	}

	/** How many keys are polled. */
	int size() {
		return this.watches.size();
	}

	private void schedule(Duration delay) {
		if (!this.watches.isEmpty() && this.scheduled.compareAndSet(false, true)) {
			this.background.executeLater(this::round, delay);
		}
	}

	private void round() {
		boolean interrupted = false;
		try {
			List<KeyWatch> all = List.copyOf(this.watches);
			for (int from = 0; from < all.size(); from += BATCH) {
				tryToPoll(all.subList(from, Math.min(from + BATCH, all.size())));
				Thread.sleep(this.pace.toMillis());
			}
		}
		catch (InterruptedException ex) {
			interrupted = true;
		}
		finally {
			this.scheduled.set(false);
			if (!interrupted) {
				schedule(this.pause);
			}
		}
	}

	private void tryToPoll(List<KeyWatch> batch) throws InterruptedException {
		try {
			poll(batch);
			this.backoff.reset();
		}
		catch (RuntimeException | Error ex) {
			logger.debug("Keys cannot be polled, trying again: {}", ex.getMessage());
			this.backoff.pause();
		}
	}

	private void poll(List<KeyWatch> batch) {
		List<KvOperation> checks = new ArrayList<>(batch.size());
		for (KeyWatch watch : batch) {
			KvSnapshot last = watch.last();
			KvEntry entry = (last != null) ? last.entry() : null;
			checks.add((entry != null) ? KvOperation.checkIndex(watch.key(), entry.modifyIndex())
					: KvOperation.checkNotExists(watch.key()));
		}
		var outcome = this.client.transact(checks, TIMEOUT);
		for (int i = 0; i < batch.size(); i++) {
			KeyWatch watch = batch.get(i);
			boolean changed = outcome instanceof RolledBack rolledBack && rolledBack.reasonOf(i).isPresent();
			if ((changed || watch.last() == null) && this.watches.contains(watch)) {
				KvEntry entry = this.client.read(watch.key(), TIMEOUT).orElse(null);
				if (watch.isNews(entry)) {
					// An absent key has no index of its own; any but that of a held entry
					// will do.
					watch.tell(new KvSnapshot((entry != null) ? entry.modifyIndex() : Long.MAX_VALUE, entry));
					this.told.accept(watch);
				}
			}
		}
	}

}
