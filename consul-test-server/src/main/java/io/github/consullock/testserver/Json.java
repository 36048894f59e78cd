package io.github.consullock.testserver;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The little JSON that is needed here, so that no JSON library is.
 */
final class Json {

	private static final int FIRST_PRINTABLE = 0x20;

	private Json() {
	}

	static String quote(String text) {
		StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
		for (char c : text.toCharArray()) {
			if (c == '"' || c == '\\') {
				quoted.append('\\').append(c);
			}
			else if (c < FIRST_PRINTABLE) {
				quoted.append("\\u%04x".formatted((int) c));
			}
			else {
				quoted.append(c);
			}
		}
		return quoted.append('"').toString();
	}

	static String array(List<String> texts) {
		return texts.stream().map(Json::quote).collect(Collectors.joining(", ", "[", "]"));
	}

	/**
	 * The first text value of that name, at any depth; fine for ids and names, which
	 * contain nothing escaped.
	 * @param json the document
	 * @param name the field's name
	 * @return its value
	 */
	static Optional<String> text(String json, String name) {
		Matcher matcher = Pattern.compile(Pattern.quote('"' + name + '"') + "\\s*:\\s*\"([^\"]*)\"").matcher(json);
		return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
	}

}
