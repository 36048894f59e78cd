package io.github.consullock.lock;

import java.time.Duration;

import io.github.consullock.session.SessionKeeper;

/**
 * What the locks of one registry have in common.
 *
 * @param protocol what is said to Consul
 * @param keeper keeps the session
 * @param fences the session's fence
 * @param queues the lines of waiting threads
 * @param watches tells of changes of keys
 * @param holds the present holds
 * @param settlement ends what was given up
 * @param background the registry's threads
 * @param listeners told of everything
 * @param slowThreshold a wait longer than this is worth a warning
 */
record LockParts(LockProtocol protocol, SessionKeeper keeper, Fences fences, LocalQueues queues, KeyWatches watches,
		Holds holds, Settlement settlement, Background background, Listeners listeners, Duration slowThreshold) {
}
