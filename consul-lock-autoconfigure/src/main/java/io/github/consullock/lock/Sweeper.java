package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes what crashed processes left under the reserved root: fences and places in
 * queues that no session holds any more.
 */
final class Sweeper {

	private static final Logger logger = LoggerFactory.getLogger(Sweeper.class);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	/** Of two operations each; Consul takes 64 in one transaction. */
	private static final int BATCH = 32;

	private final ConsulClient client;

	private final String root;

	Sweeper(ConsulClient client, String keyPrefix) {
		this.client = client;
		this.root = keyPrefix + LockOptions.RESERVED_SEGMENT + "/";
	}

	String fences() {
		return this.root + "fences/";
	}

	/** Does what it can in one go; the rest is left to the next. */
	void sweep() {
		try {
			remove(this.client.list(fences()).stream().filter((entry) -> entry.session() == null).toList());
			remove(deserted(this.client.list(this.root + "queues/")));
		}
		catch (RuntimeException ex) {
			logger.debug("Not swept: {}", ex.getMessage());
		}
	}

	/** The dead of queues, and the markers of those in which nobody else is. */
	private static List<KvEntry> deserted(List<KvEntry> entries) {
		Map<String, List<KvEntry>> queues = new HashMap<>();
		for (KvEntry entry : entries) {
			String queue = entry.key().substring(0, entry.key().lastIndexOf('/'));
			queues.computeIfAbsent(queue, (key) -> new ArrayList<>()).add(entry);
		}
		List<KvEntry> deserted = new ArrayList<>();
		queues.values().forEach((queue) -> {
			boolean used = queue.stream().anyMatch((entry) -> entry.session() != null);
			queue.stream()
				.filter((entry) -> entry.session() == null && !(used && Contenders.isMarker(entry)))
				.forEach(deserted::add);
		});
		return deserted;
	}

	private void remove(List<KvEntry> entries) {
		for (int from = 0; from < entries.size(); from += BATCH) {
			List<KvOperation> removals = entries.subList(from, Math.min(from + BATCH, entries.size()))
				.stream()
				.flatMap((entry) -> Contenders.removal(entry).stream())
				.toList();
			this.client.transact(removals, TIMEOUT);
		}
	}

}
