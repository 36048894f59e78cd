/**
 * The locks: acquiring, waiting, handing over, releasing. Where to find what:
 * <ul>
 * <li>What users hold: {@link io.github.consullock.lock.ConsulLockRegistry} and the locks
 * it gives out, all of which are a {@code LockDoor}</li>
 * <li>The way to a lock: {@code Acquirer}, {@code AcquireCall} through the lines of this
 * JVM ({@code LocalQueues}), {@code Contender} to Consul ({@code LockProtocol})</li>
 * <li>The queue of several JVMs for a lock, and the move of the lock to the first of it:
 * {@code Contenders}; who has crashed in it is removed by {@code Sweeper}</li>
 * <li>What the entries of a lock say and how they change, for each kind: {@code LockKind}
 * and {@code LockEntries}</li>
 * <li>While it is held: {@code Hold}, {@code HoldMonitor}; its end: {@code Holds};
 * whatever is left unclear on any way: {@code Fence}, {@code Settlement}</li>
 * <li>What all this needs, for one session: {@code LockEngine}, of which {@code Engines}
 * has one for each combination of settings</li>
 * </ul>
 */
@NullMarked
package io.github.consullock.lock;

import org.jspecify.annotations.NullMarked;
