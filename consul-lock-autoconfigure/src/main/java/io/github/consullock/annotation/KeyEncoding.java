package io.github.consullock.annotation;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

import io.github.consullock.LockOptions;

/**
 * Writes what an expression yielded so that it can neither leave its segment of the key
 * nor be refused by Consul, and so that two different texts never give one key.
 */
final class KeyEncoding {

	private static final String HEX = "0123456789ABCDEF";

	private KeyEncoding() {
	}

	/**
	 * Encodes all but {@code A-Z a-z 0-9 _ . -} as {@code =XX} of its UTF-8 bytes.
	 * @param text what an expression yielded
	 * @return the encoded text
	 * @throws IllegalArgumentException if the text is no Unicode
	 */
	static String encode(String text) {
		StringBuilder encoded = new StringBuilder(text.length() + 16);
		ByteBuffer bytes = utf8(text);
		while (bytes.hasRemaining()) {
			byte b = bytes.get();
			if (isPlain(b)) {
				encoded.append((char) b);
			}
			else {
				append(encoded, b);
			}
		}
		return encoded.toString();
	}

	/**
	 * Encodes the dots of a whole segment that would mean something else than its text.
	 * @param segment a segment of a key
	 * @param first whether it is the first one
	 * @return the segment as it may stand in a key
	 */
	static String encodeSegment(String segment, boolean first) {
		boolean special = segment.equals(".") || segment.equals("..")
				|| (first && segment.equals(LockOptions.RESERVED_SEGMENT));
		return special ? segment.replace(".", "=2E") : segment;
	}

	private static boolean isPlain(byte b) {
		return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '_' || b == '.'
				|| b == '-';
	}

	private static void append(StringBuilder encoded, byte b) {
		encoded.append('=').append(HEX.charAt((b >> 4) & 0xF)).append(HEX.charAt(b & 0xF));
	}

	private static ByteBuffer utf8(String text) {
		try {
			// Not getBytes(): it would write every broken surrogate as the same '?'.
			return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
		}
		catch (CharacterCodingException ex) {
			throw new IllegalArgumentException("it is no valid Unicode: half of a surrogate pair is missing", ex);
		}
	}

}
