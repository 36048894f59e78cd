/**
 * A real Consul for tests and demos.
 */
@NullMarked
package io.github.consullock.testserver;

import org.jspecify.annotations.NullMarked;
