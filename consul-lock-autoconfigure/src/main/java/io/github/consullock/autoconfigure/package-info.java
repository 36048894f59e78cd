/**
 * Spring Boot auto-configuration, properties and failure analyzers.
 */
@NullMarked
package io.github.consullock.autoconfigure;

import org.jspecify.annotations.NullMarked;
