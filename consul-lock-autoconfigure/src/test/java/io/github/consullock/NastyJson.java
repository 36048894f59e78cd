package io.github.consullock;

import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What nobody should write or answer instead of some JSON: broken off, of other types,
 * huge, deeply nested, or bytes of no meaning. The same seed gives the same texts.
 */
public final class NastyJson {

	/** One that has found something can be given again by this property. */
	private static final String SEED = "consul.lock.nasty.seed";

	private static final Pattern TOKEN = Pattern.compile("\"(?:[^\"\\\\]++|\\\\.)*+\"|-?\\d+|true|false|null");

	private static final List<String> SCALARS = List.of("null", "true", "0", "-1", "1.5", "1e400", "-0",
			"9223372036854775808", "18446744073709551616", "99999999999999999999999999", "\"\"", "\"null\"",
			"\"\\u0000\"", "\"\\ud800\"", "\"a\\nb\\r\\tc\"", "\"../../x\"", "\"/\"", "\"\u202e\u2028\"", "[]", "{}",
			"[[]]", "[null]", "{\"\":null}", "NaN", "'a'", "\"");

	private final Random random;

	private final long seed;

	public NastyJson(long seed) {
		this.seed = Long.getLong(SEED, seed);
		this.random = new Random(this.seed);
	}

	public Random random() {
		return this.random;
	}

	/** How to have the same texts again. */
	public String replay() {
		return "again with -D" + SEED + "=" + this.seed;
	}

	/**
	 * The next text.
	 * @param good what it is to take the place of
	 */
	public String insteadOf(String good) {
		String text = good;
		int changes = 1 + this.random.nextInt(3);
		for (int i = 0; i < changes; i++) {
			text = changed(text);
		}
		return text;
	}

	private String changed(String text) {
		return switch (this.random.nextInt(11)) {
			case 0 -> text.substring(0, this.random.nextInt(text.length() + 1));
			case 1, 2, 3, 4 -> withOtherToken(text);
			case 5 -> withOneMore(text);
			case 6 -> nested(text);
			case 7 -> text + any(SCALARS);
			case 8 -> withNoise(text);
			case 9 -> any(SCALARS);
			default -> text.replace(",", ",\"Other\":" + any(SCALARS) + ",");
		};
	}

	private String withOtherToken(String text) {
		List<MatchResult> tokens = TOKEN.matcher(text).results().toList();
		if (tokens.isEmpty()) {
			return any(SCALARS);
		}
		MatchResult token = tokens.get(this.random.nextInt(tokens.size()));
		return text.substring(0, token.start()) + any(SCALARS) + text.substring(token.end());
	}

	/** Twice the same field, or another number of elements. */
	private String withOneMore(String text) {
		Matcher field = Pattern.compile("\"\\w+\":[^,\\[\\]{}]*[,}]").matcher(text);
		return field.find() ? text.substring(0, field.start()) + field.group().replaceAll("[,}]$", ",")
				+ text.substring(field.start()) : text + "," + text;
	}

	private String nested(String text) {
		int depth = 1 << this.random.nextInt(18);
		boolean objects = this.random.nextBoolean();
		String open = objects ? "{\"a\":" : "[";
		String close = objects ? "}" : "]";
		return open.repeat(depth) + text + close.repeat(depth);
	}

	private String withNoise(String text) {
		StringBuilder noisy = new StringBuilder(text);
		for (int i = 0; i < 1 + noisy.length() / 10; i++) {
			noisy.insert(this.random.nextInt(noisy.length() + 1), (char) this.random.nextInt(0x10000));
		}
		return noisy.toString();
	}

	private String any(List<String> texts) {
		return texts.get(this.random.nextInt(texts.size()));
	}

}
