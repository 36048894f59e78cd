package io.github.consullock.lock;

import java.time.Duration;

/**
 * What the locks of one engine have in common.
 *
 * @param protocol what is said to Consul
 * @param sessions the sessions that hold them
 * @param fences the sessions' fences
 * @param queues the lines of waiting threads
 * @param contention which locks others want, too
 * @param watches tells of changes of keys
 * @param holds the present holds
 * @param settlement ends what was given up
 * @param background the registry's threads
 * @param listeners told of everything
 * @param slowThreshold a wait longer than this is worth a warning
 */
record LockParts(LockProtocol protocol, Sessions sessions, Fences fences, LocalQueues queues, Contention contention,
		KeyWatches watches, Holds holds, Settlement settlement, Background background, Listeners listeners,
		Duration slowThreshold) {
}
