/**
 * A WebFlux application whose methods are locked, and what its event loop may not do.
 */
@NullMarked
package io.github.consullock.webflux;

import org.jspecify.annotations.NullMarked;
