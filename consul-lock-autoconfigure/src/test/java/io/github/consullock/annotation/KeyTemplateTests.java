package io.github.consullock.annotation;

import java.io.File;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.convert.ApplicationConversionService;
import org.springframework.mock.env.MockEnvironment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class KeyTemplateTests {

	private final DefaultListableBeanFactory beanFactory = new DefaultListableBeanFactory();

	private final ApplicationConversionService conversions = new ApplicationConversionService();

	private final MockEnvironment environment = new MockEnvironment();

	KeyTemplateTests() {
		this.beanFactory.setConversionService(this.conversions);
		this.beanFactory.addEmbeddedValueResolver(this.environment::resolveRequiredPlaceholders);
	}

	@Test
	void plainTextIsItself() {
		assertThat(key("reports/daily,v=1?a&b", "x", 1)).isEqualTo("reports/daily,v=1?a&b");
	}

	@Test
	void anExpressionMayNameParametersAndTheCall() {
		assertThat(key("a/#{#name}", "x", 1)).isEqualTo("a/x");
		assertThat(key("a/#{#p0}-#{#a1}", "x", 1)).isEqualTo("a/x-1");
		assertThat(key("#{#root.methodName}/#{#root.args[1]}", "x", 1)).isEqualTo("call/1");
		assertThat(key("#{#root.target.region}/#{target.region}", "x", 1)).isEqualTo("eu/eu");
	}

	@Test
	void anExpressionMayUseBraces() {
		assertThat(key("a/#{ {1, 2}.size() + '}' }/b", "x", 1)).isEqualTo("a/2=7D/b");
		assertThat(key("#{ {a: #name}['a'] }", "x", 1)).isEqualTo("x");
	}

	@Test
	void anExpressionMayUseABean() {
		this.beanFactory.registerSingleton("tenants", new Tenants());
		assertThat(key("#{@tenants.of(#name)}/jobs", "x", 1)).isEqualTo("tenant-x/jobs");
	}

	@Test
	void anExpressionMayUseAClassWhateverTheClassLoaderOfTheThread() {
		Thread thread = Thread.currentThread();
		ClassLoader classLoader = thread.getContextClassLoader();
		thread.setContextClassLoader(ClassLoader.getPlatformClassLoader());
		try {
			assertThat(key("#{T(" + Tenants.class.getName() + ").DEFAULT}", "x", 1)).isEqualTo("tenant-0");
		}
		finally {
			thread.setContextClassLoader(classLoader);
		}
	}

	@Test
	void aPropertyIsResolvedOnceAndNeverEvaluated() {
		this.environment.setProperty("prefix", "jobs");
		KeyTemplate template = parse("${prefix}/#{'${prefix}' + #id}/${none:default}");
		this.environment.setProperty("prefix", "changed");
		assertThat(template.evaluate(null, new Object[] { "x", 1 })).isEqualTo("jobs/jobs1/default");
		this.environment.setProperty("prefix", "#{#name}");
		assertThatIllegalArgumentException().isThrownBy(() -> parse("${prefix}/a")).withMessageContaining("'#'");
	}

	@Test
	void anArgumentIsNeverEvaluated() {
		assertThat(key("#{#name}", "#{1+1}", 1)).isEqualTo("=23=7B1=2B1=7D");
		assertThat(key("#{#name}", "${prefix}", 1)).isEqualTo("=24=7Bprefix=7D");
	}

	@ParameterizedTest
	@CsvSource({ "../../other,..=2F..=2Fother", "a b,a=20b", "a%b,a=25b", "ä,=C3=A4", "€,=E2=82=AC", "😀,=F0=9F=98=80",
			"a=b,a=3Db", "A-z_0.9,A-z_0.9", ".,=2E", "..,=2E=2E", "...,...", "/,=2F", ".consul-lock,=2Econsul-lock" })
	void whatAnExpressionYieldsStaysInItsSegment(String value, String expected) {
		assertThat(key("#{#name}/a", value, 1)).isEqualTo(expected + "/a");
	}

	@Test
	void dotsAreEncodedOnlyWhereTheyWouldBeAWholeSegment() {
		assertThat(key("a/#{#name}", ".", 1)).isEqualTo("a/=2E");
		assertThat(key("a/x#{#name}", "..", 1)).isEqualTo("a/x..");
		assertThat(key("a/.#{#name}", ".", 1)).isEqualTo("a/=2E=2E");
		assertThat(key("a/#{#name}", ".consul-lock", 1)).isEqualTo("a/.consul-lock");
	}

	@Test
	void textNumbersBooleansEnumsAndUuidsMakeAKey() {
		UUID uuid = UUID.randomUUID();
		for (Object value : List.of("x", new StringBuilder("x"), 'x', 1, 1L, new BigDecimal("1.50"), true, uuid)) {
			assertThat(key("#{#name}", value, 1)).isEqualTo(value.toString());
		}
		assertThat(key("#{#name}", Level.HIGH, 1)).isEqualTo("HIGH");
		assertThat(key("#{#name}", TimeUnit.DAYS, 1)).isEqualTo("DAYS");
	}

	@Test
	void anythingElseIsRefused() {
		for (Object value : Arrays.asList(new Object(), new OrderId("5"), LocalDate.now(), new int[0], List.of("a"),
				Map.of(), new File("a"), new Weight(), Thread.currentThread())) {
			assertThatIllegalArgumentException().isThrownBy(() -> key("#{#name}", value, 1))
				.withMessageContaining("'#{#name}' of " + Sample.class.getName() + ".call(Object, int)")
				.withMessageContaining(value.getClass().getTypeName())
				.withMessageContaining("Converter");
		}
	}

	@Test
	void aRegisteredConverterMakesAnythingAKey() {
		this.conversions.addConverter(OrderId.class, String.class, OrderId::value);
		this.conversions.addConverter(LocalDate.class, String.class, LocalDate::toString);
		assertThat(key("#{#name}", new OrderId("5/6"), 1)).isEqualTo("5=2F6");
		assertThat(key("#{#name}", LocalDate.of(2026, 1, 2), 1)).isEqualTo("2026-01-02");
	}

	@Test
	void nullAndBlankAreRefusedWithTheReason() {
		assertThatIllegalArgumentException().isThrownBy(() -> key("a/#{#name}", null, 1))
			.withMessageContaining("#{#name} yields cannot be used: it is null")
			.withMessageContaining("may share one lock, write #{#name ?: 'none'}");
		assertThatIllegalArgumentException().isThrownBy(() -> key("#{ #name?.length() }", null, 1))
			.withMessageContaining("write #{#name?.length() ?: 'none'}");
		assertThatIllegalArgumentException().isThrownBy(() -> key("#{#id > 0 ? #name : 'x'}", null, 1))
			.withMessageContaining("write #{(#id > 0 ? #name : 'x') ?: 'none'}");
		assertThatIllegalArgumentException().isThrownBy(() -> key("a#{#name}", " ", 1))
			.withMessageContaining("it is blank; call with a value that is not");
		assertThatIllegalArgumentException().isThrownBy(() -> key("a#{#name}", "", 1))
			.withMessageContaining("it is blank; call with a value that is not");
	}

	@Test
	void textThatIsNoUnicodeIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> key("#{#name}", "\uD800", 1))
			.withMessageContaining("surrogate");
	}

	@Test
	void aKeyThatIsTooLongIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> key("#{#name}", "x".repeat(500), 1))
			.withMessageContaining("500 characters");
	}

	@Test
	void anExpressionThatFailsNamesMethodAndTemplate() {
		assertThatIllegalArgumentException().isThrownBy(() -> key("a/#{#name.missing}", "x", 1))
			.withMessageContaining("'a/#{#name.missing}' of " + Sample.class.getName() + ".call(Object, int)")
			.withMessageContaining("#name.missing");
	}

	@Test
	void anExceptionOfWhatAnExpressionCallsNamesMethodAndTemplateToo() {
		assertThatIllegalArgumentException().isThrownBy(() -> key("a/#{#name.substring(10)}", "x", 1))
			.withMessageContaining("'a/#{#name.substring(10)}' of " + Sample.class.getName() + ".call(Object, int)")
			.withMessageContaining("StringIndexOutOfBoundsException")
			.withCauseInstanceOf(StringIndexOutOfBoundsException.class);
	}

	@ParameterizedTest
	@ValueSource(strings = { "#name", "a/{name}" })
	void anExpressionInTheSyntaxOfOthersIsToldOurs(String template) {
		assertThatIllegalArgumentException().isThrownBy(() -> parse(template)).withMessageContaining("#{#id}");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "a b", "/a", "a/", "a//b", "a/../b", "a:b", ".consul-lock/x", "#{}", "#{#name",
			"#{#name +}", "#{id}", "#{#unknown}", "a/#{#p2}", "#{#a07}", "#{#name.length() + #nam}", "#{#call(1)}",
			"${missing}", "${missing", "a}" })
	void whatCannotBeAKeyIsRefusedWhenParsed(String template) {
		assertThatException().isThrownBy(() -> parse(template));
	}

	@Test
	void anUnknownNameIsToldWithThoseThatThereAre() {
		assertThatIllegalArgumentException().isThrownBy(() -> parse("#{#unknown}"))
			.withMessage("#unknown names no parameter; there are #name, #p0, #id, #p1, #root");
		assertThatIllegalArgumentException().isThrownBy(() -> parse("#{id}"))
			.withMessageContaining("a parameter is #id");
	}

	@Test
	void aNameWithoutNamesInTheClassFileIsToldToCompileWithParameters() throws Exception {
		Method method = Comparable.class.getMethod("compareTo", Object.class);
		assertThatIllegalArgumentException()
			.isThrownBy(() -> new KeyTemplateParser(this.beanFactory).parse("#{#o}", method, Comparable.class))
			.withMessageContaining("-parameters");
	}

	private String key(String template, @Nullable Object name, int id) {
		return parse(template).evaluate(new Sample(), new @Nullable Object[] { name, id });
	}

	private KeyTemplate parse(String template) {
		try {
			Method method = Sample.class.getMethod("call", Object.class, int.class);
			return new KeyTemplateParser(this.beanFactory).parse(template, method, Sample.class);
		}
		catch (NoSuchMethodException ex) {
			throw new AssertionError(ex);
		}
	}

	public static class Sample {

		public String getRegion() {
			return "eu";
		}

		public void call(Object name, int id) {
		}

	}

	public static class Tenants {

		public static final String DEFAULT = "tenant-0";

		public String of(Object name) {
			return "tenant-" + name;
		}

	}

	record OrderId(String value) {

	}

	static class Weight extends Number {

		private static final long serialVersionUID = 1L;

		@Override
		public int intValue() {
			return 0;
		}

		@Override
		public long longValue() {
			return 0;
		}

		@Override
		public float floatValue() {
			return 0;
		}

		@Override
		public double doubleValue() {
			return 0;
		}

	}

	enum Level {

		HIGH {
			@Override
			public String toString() {
				return "high!";
			}
		}

	}

}
