/**
 * Locks without Consul, and their loss, for the tests of applications.
 */
@NullMarked
package io.github.consullock.test;

import org.jspecify.annotations.NullMarked;
