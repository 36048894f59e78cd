/**
 * {@code @DistributedLock} and what runs it: key evaluation, interceptor, cancellation.
 */
@NullMarked
package io.github.consullock.annotation;

import org.jspecify.annotations.NullMarked;
