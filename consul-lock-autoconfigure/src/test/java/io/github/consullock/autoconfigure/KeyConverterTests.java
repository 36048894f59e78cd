package io.github.consullock.autoconfigure;

import java.time.LocalDate;
import java.util.Locale;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.convert.converter.Converter;
import org.springframework.format.Formatter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * An application without web, in which nobody registers its converters anywhere.
 */
@SpringBootTest(webEnvironment = WebEnvironment.NONE, properties = { "spring.application.name=orders",
		"consul.lock.mode=local", "spring.cloud.consul.discovery.register=false", "consul.lock.waiting.timeout=1m" })
class KeyConverterTests {

	@Autowired
	private Orders orders;

	@Test
	void aConverterThatIsABeanMakesAKey() {
		assertThat(this.orders.ship(new OrderId("42"))).isEqualTo("locks/orders/42");
	}

	@Test
	void aFormatterThatIsABeanMakesAKey() {
		assertThat(this.orders.ship(LocalDate.of(2026, 1, 2))).isEqualTo("locks/orders/2026-01-02");
	}

	@Test
	void whatHasNoneIsToldToDeclareOne() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.orders.ship(new Object()))
			.withMessageContaining("declare a bean of the type Converter");
	}

	record OrderId(String value) {

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		Orders orders() {
			return new Orders();
		}

		// tag::converter[]
		@Bean
		Converter<OrderId, String> orderIdConverter() {
			return OrderId::value;
		}
		// end::converter[]

		@Bean
		Formatter<LocalDate> dates() {
			return new Formatter<>() {

				@Override
				public String print(LocalDate date, Locale locale) {
					return date.toString();
				}

				@Override
				public LocalDate parse(String text, Locale locale) {
					return LocalDate.parse(text);
				}

			};
		}

	}

	static class Orders {

		@DistributedLock("orders/#{#id}")
		String ship(Object id) {
			return LockHandle.current().key();
		}

	}

}
