package io.github.consullock.autoconfigure;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import io.github.consullock.SessionBehavior;
import io.github.consullock.annotation.ActiveTransactionPolicy;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What {@code consul.lock.*} says. Checked by {@link PropertyChecks}, not here, so that
 * an error can name the property.
 *
 * @param enabled Whether to lock at all. If false, there is no registry, and an
 * application with an annotated bean refuses to start.
 * @param mode Where the locks are kept: 'consul', where they exclude other processes, or
 * 'local', in this JVM alone, for tests and for laptops without Consul.
 * @param keyPrefix Prefix of all keys in Consul; ends with '/'.
 * @param deleteOnRelease Whether a release deletes the lock's entry in Consul, rather
 * than leaving it there unlocked.
 * @param strict Whether an annotated method that cannot be locked, such as a final one,
 * stops the start. If false, it is logged as a warning and runs unlocked.
 * @param shutdownTimeout How long a shutdown waits for held locks to be released before
 * it cancels those who hold them.
 * @param waiting How locks are waited for.
 * @param connection Where Consul is, and who asks.
 * @param session The session that holds the locks.
 * @param transaction How locks and Spring's transactions go together.
 * @param local Settings of the mode 'local'.
 */
@ConfigurationProperties(ConsulLockProperties.PREFIX)
record ConsulLockProperties(@DefaultValue("true") boolean enabled, @DefaultValue("consul") Mode mode,
		@DefaultValue("locks/") String keyPrefix, @DefaultValue("true") boolean deleteOnRelease,
		@DefaultValue("true") boolean strict, @DefaultValue("20s") Duration shutdownTimeout,
		@DefaultValue Waiting waiting, @DefaultValue Connection connection, @DefaultValue Session session,
		@DefaultValue Transaction transaction, @DefaultValue Local local) {

	static final String PREFIX = "consul.lock";

	/**
	 * Where the locks are kept.
	 */
	enum Mode {

		/**
		 * In Consul: they exclude other processes.
		 */
		CONSUL,

		/**
		 * In this application context: they exclude nobody outside of it.
		 */
		LOCAL

	}

	/**
	 * How locks are waited for.
	 *
	 * @param timeout How long to wait for a lock where the code does not say.
	 * @param fair Whether a free lock goes to the one that has waited longest, even if
	 * another process asks for it first.
	 * @param maxWatches How many keys are watched in Consul at once, by a request each;
	 * beyond it, keys are polled in batches.
	 * @param slowThreshold A wait longer than this is logged as a warning.
	 */
	record Waiting(@DefaultValue("10s") Duration timeout, @DefaultValue("false") boolean fair,
			@DefaultValue("100") int maxWatches, @DefaultValue("30s") Duration slowThreshold) {

	}

	/**
	 * Where Consul is, and who asks. What is not set here is taken from
	 * {@code spring.cloud.consul.*}.
	 *
	 * @param url URL of the Consul agent, such as 'https://localhost:8501', with a path
	 * if it is not served at the root. Default: scheme, host, port and path of
	 * 'spring.cloud.consul'.
	 * @param token ACL token. Default: the token of Consul discovery, else
	 * 'spring.cloud.consul.token'.
	 * @param tokenFile File that holds the ACL token, read again every second, so that it
	 * can be rotated.
	 * @param datacenter Datacenter in which to lock. Default: that of the agent.
	 * @param namespace Namespace in which to lock, a feature of Consul Enterprise.
	 * @param partition Admin partition in which to lock, a feature of Consul Enterprise.
	 * @param sslBundle Name of the SSL bundle for an https URL. Default: the stores of
	 * 'spring.cloud.consul.tls'.
	 * @param connectTimeout How long to wait for a connection.
	 * @param readTimeout How long to wait for an answer; a blocking query may take its
	 * own wait longer.
	 */
	record Connection(@Nullable URI url, @Nullable String token, @Nullable Path tokenFile, @Nullable String datacenter,
			@Nullable String namespace, @Nullable String partition, @Nullable String sslBundle,
			@DefaultValue("1s") Duration connectTimeout, @DefaultValue("10s") Duration readTimeout) {

		/** Without the token. */
		@Override
		public String toString() {
			return "Connection[url=" + ((this.url != null) ? PropertyChecks.withoutUser(this.url.toString()) : null)
					+ ", tokenFile=" + this.tokenFile + ", datacenter=" + this.datacenter + ", namespace="
					+ this.namespace + ", partition=" + this.partition + ", sslBundle=" + this.sslBundle
					+ ", connectTimeout=" + this.connectTimeout + ", readTimeout=" + this.readTimeout + "]";
		}

	}

	/**
	 * The session that holds the locks.
	 *
	 * @param name Name of the session, as Consul shows it. Default:
	 * 'spring.cloud.consul.discovery.instance-id' if set, else application name, host,
	 * and port or process id.
	 * @param ttl How long the session lives on without a renewal, from 10s to 24h; Consul
	 * ends it at twice this time.
	 * @param lockDelay How long the keys of a session that has ended stay closed to
	 * everybody, at most 60s; not below the TTL, so that a holder knows of its loss
	 * before anyone else can hold.
	 * @param behavior What becomes of the keys of a session that has ended.
	 * @param nodeChecks Health checks of the agent's node whose failure ends the session,
	 * such as 'serfHealth'.
	 * @param serviceChecks Ids of service health checks whose failure ends the session,
	 * such as 'service:orders-1'.
	 * @param bindToService Whether a failure of the health check of this application's
	 * own registration ends the session. Needs Consul discovery.
	 * @param safetyMargin How long before the end of the TTL a lock no longer counts as
	 * held when renewals fail.
	 * @param allowUnsafe Whether to allow a lock-delay below the TTL and the behavior
	 * 'delete', with which two can hold a lock at once after a crash.
	 */
	record Session(@Nullable String name, @DefaultValue("25s") Duration ttl, @DefaultValue("25s") Duration lockDelay,
			@DefaultValue("release") SessionBehavior behavior, @DefaultValue List<String> nodeChecks,
			@DefaultValue List<String> serviceChecks, @DefaultValue("false") boolean bindToService,
			@DefaultValue("500ms") Duration safetyMargin, @DefaultValue("false") boolean allowUnsafe) {

	}

	/**
	 * How locks and Spring's transactions go together.
	 *
	 * @param checkBeforeCommit Whether a transaction is rolled back, rather than
	 * committed, if a lock was lost that its thread runs under or that ends with it.
	 * @param ifActive What becomes of a lock that an annotated method acquires while a
	 * transaction is active on its thread: 'release-after-completion' keeps it until the
	 * transaction has committed or rolled back, 'refuse' throws an exception.
	 */
	record Transaction(@DefaultValue("true") boolean checkBeforeCommit,
			@DefaultValue("release-after-completion") ActiveTransactionPolicy ifActive) {

	}

	/**
	 * Settings of the mode 'local'.
	 *
	 * @param allowRegistered Whether the mode 'local' is allowed in an application that
	 * registers in Consul, and so probably runs more than once.
	 */
	record Local(@DefaultValue("false") boolean allowRegistered) {

	}

}
