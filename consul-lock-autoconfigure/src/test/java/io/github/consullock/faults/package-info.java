/**
 * Faults of processes, clocks, networks and of Consul itself, and what holders of locks
 * are told then.
 */
@NullMarked
package io.github.consullock.faults;

import org.jspecify.annotations.NullMarked;
