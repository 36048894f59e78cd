/**
 * Talks to Consul: sessions, key-value entries, transactions and blocking queries, with
 * typed outcomes.
 */
@NullMarked
package io.github.consullock.consul;

import org.jspecify.annotations.NullMarked;
