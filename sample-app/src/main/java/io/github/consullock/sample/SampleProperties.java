package io.github.consullock.sample;

import java.net.URI;
import java.time.Duration;
import java.util.Map;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the sample.
 *
 * @param instance The name of this instance, in its registration and its deliveries.
 * @param receivers URL of each receiver, by name. One without a host is this instance's
 * own.
 * @param receiverDuration How long this instance's own receiver takes, where a request
 * does not say.
 * @param responseTimeout How long to wait for a receiver to begin its answer.
 * @param exitWithStdin Whether to exit when the standard input ends, so that the instance
 * does not outlive the process that started it.
 */
@ConfigurationProperties("sample")
record SampleProperties(String instance, @DefaultValue Map<String, URI> receivers,
		@DefaultValue("10s") Duration receiverDuration, @DefaultValue("1m") Duration responseTimeout,
		@DefaultValue("false") boolean exitWithStdin) {

}
