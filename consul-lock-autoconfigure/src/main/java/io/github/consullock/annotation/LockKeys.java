package io.github.consullock.annotation;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import io.github.consullock.LockOptions;
import org.jspecify.annotations.Nullable;

import org.springframework.expression.ParseException;

/**
 * The keys of an annotated method: one, or several that are locked together.
 *
 * @param method the method as error messages name it
 * @param templates what gives the keys
 * @param several whether a template may give any number of keys
 */
record LockKeys(String method, List<KeyTemplate> templates, boolean several) {

	static LockKeys of(Definition definition, KeyTemplateParser parser) {
		String key = definition.annotation().key();
		String[] keys = definition.annotation().keys();
		if (key.isEmpty() && keys.length == 0) {
			throw definition.refused("has no key", "Give it one, such as @DistributedLock(\"orders/#{#id}\").");
		}
		if (!key.isEmpty() && keys.length > 0) {
			throw definition.refused("has both the key '" + key + "' and keys",
					"Set 'key' for one lock, or put all keys into 'keys' for several that are locked together.");
		}
		if (keys.length == 0) {
			return new LockKeys(definition.name(), List.of(parse(key, definition, parser)), false);
		}
		List<KeyTemplate> templates = new ArrayList<>();
		for (String template : keys) {
			templates.add(parse(template, definition, parser));
		}
		return new LockKeys(definition.name(), List.copyOf(templates), true);
	}

	private static KeyTemplate parse(String template, Definition definition, KeyTemplateParser parser) {
		try {
			return parser.parse(template, definition.method(), definition.beanClass());
		}
		catch (IllegalArgumentException | ParseException ex) {
			throw definition.refused("has the key '" + template + "', which cannot be used: " + ex.getMessage(),
					"Correct the key, such as \"orders/#{#id}\".", ex);
		}
	}

	/**
	 * The keys of one call.
	 * @param target the bean
	 * @param args the arguments of the call
	 * @return at least one key, none twice
	 * @throws IllegalArgumentException if these arguments make no keys; the message names
	 * the method and the reason
	 */
	Collection<String> evaluate(@Nullable Object target, @Nullable Object[] args) {
		if (!this.several) {
			return List.of(this.templates.get(0).evaluate(target, args));
		}
		Set<String> keys = new LinkedHashSet<>();
		for (KeyTemplate template : this.templates) {
			keys.addAll(template.evaluateEach(target, args));
		}
		if (keys.isEmpty()) {
			throw new IllegalArgumentException("No lock key for " + this.method
					+ ": the collections that its keys are made of are empty. Call it with an element at least, or"
					+ " give it a key that is always there");
		}
		if (keys.size() > LockOptions.MAX_KEYS) {
			throw new IllegalArgumentException("Too many lock keys for " + this.method + ": " + keys.size()
					+ ", and at most " + LockOptions.MAX_KEYS + " can be locked together. Call it with fewer elements"
					+ " at a time, or lock one key that stands for all of them");
		}
		return keys;
	}

}
