/**
 * Measurements on a real Consul.
 */
@NullMarked
package io.github.consullock.benchmarks;

import org.jspecify.annotations.NullMarked;
