package io.github.consullock.annotation;

import java.io.ByteArrayOutputStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import io.github.consullock.LockOptions;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * What users give as a name makes a key that stays where its template puts it, and is
 * nobody else's.
 */
class KeyFuzzTests {

	private static final int ROUNDS = 50_000;

	private static final List<String> PIECES = List.of("..", ".", "/", "//", "../", "%2e", "%2F", "=2E", "=", "==",
			".consul-lock", ".consul-lock/", "\\", "?", "&", "#", "#{1}", "${x}", "T(java.lang.Runtime)", "\u0000",
			"\n", "\r\n", "\t", " ", "\u202e", "\u2028", "\ufeff", "\u00e4", "a\u0308", "\uff0f", "\uff0e", "\u2024",
			"\u20ac", "\ud83d\ude00", "a", "A", "0", "_", "-", ",", ";", ":", "*", "'", "\"", "locks/", "orders");

	private static final List<String> HALVES = List.of("\ud83d", "\ude00", "a\ud800b");

	private final DefaultListableBeanFactory beanFactory = new DefaultListableBeanFactory();

	private final Random random = new Random(20261203);

	@Test
	void aNameStaysInItsSegmentAndNoTwoNamesMakeOneKey() {
		KeyTemplate inside = parse("orders/#{#name}/lines");
		KeyTemplate first = parse("#{#name}/lines");
		KeyTemplate alone = parse("#{#name}");
		Map<String, String> names = new HashMap<>();
		for (int i = 0; i < ROUNDS; i++) {
			String name = name();
			if (name.isBlank()) {
				assertThatIllegalArgumentException().isThrownBy(() -> key(inside, name)).withMessageContaining("blank");
				continue;
			}
			String key = key(inside, name);
			assertThat(key.split("/", -1)).hasSize(3).startsWith("orders").endsWith("lines");
			String segment = key.split("/", -1)[1];
			assertThat(decoded(segment)).isEqualTo(name);
			assertThat(names.merge(key, name, (old, now) -> old)).isEqualTo(name);
			assertThat(key(first, name).split("/", -1)).hasSize(2).endsWith("lines");
			assertThat(key(alone, name)).doesNotContain("/").isNotEqualTo(LockOptions.RESERVED_SEGMENT);
		}
		assertThat(names).hasSizeGreaterThan(ROUNDS / 2);
	}

	@Test
	void textThatIsNoUnicodeMakesNoKey() {
		for (String half : HALVES) {
			assertThatIllegalArgumentException().isThrownBy(() -> key(parse("orders/#{#name}"), half))
				.withMessageContaining("Unicode");
		}
	}

	@Test
	void aKeyOfTheCallersOwnIsOneOrIsRefusedInALineWithoutControls() {
		int refused = 0;
		for (int i = 0; i < ROUNDS; i++) {
			String key = name();
			try {
				assertThat(LockOptions.checkKey(key)).isEqualTo(key).matches("[A-Za-z0-9,_./?&=-]+");
				assertThat(List.of(key.split("/", -1))).doesNotContain("", ".", "..")
					.element(0)
					.isNotEqualTo(LockOptions.RESERVED_SEGMENT);
			}
			catch (IllegalArgumentException ex) {
				refused++;
				assertThat(ex.getMessage()).doesNotContainPattern("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");
			}
		}
		assertThat(refused).isBetween(ROUNDS / 10, ROUNDS * 99 / 100);
	}

	private String name() {
		StringBuilder name = new StringBuilder();
		int pieces = 1 + this.random.nextInt(4);
		for (int i = 0; i < pieces; i++) {
			name.append(PIECES.get(this.random.nextInt(PIECES.size())));
		}
		return name.toString();
	}

	private static String decoded(String segment) {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		for (int i = 0; i < segment.length(); i++) {
			char c = segment.charAt(i);
			if (c == '=') {
				bytes.write(Integer.parseInt(segment.substring(i + 1, i + 3), 16));
				i += 2;
			}
			else {
				bytes.write(c);
			}
		}
		return bytes.toString(StandardCharsets.UTF_8);
	}

	private static String key(KeyTemplate template, String name) {
		return template.evaluate(new Sample(), new Object[] { name });
	}

	private KeyTemplate parse(String template) {
		try {
			Method method = Sample.class.getMethod("call", String.class);
			return new KeyTemplateParser(this.beanFactory).parse(template, method, Sample.class);
		}
		catch (NoSuchMethodException ex) {
			throw new AssertionError(ex);
		}
	}

	public static class Sample {

		public void call(String name) {
		}

	}

}
