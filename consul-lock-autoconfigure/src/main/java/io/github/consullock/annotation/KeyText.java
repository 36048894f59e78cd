package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.Collection;
import java.util.UUID;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.convert.ApplicationConversionService;
import org.springframework.core.convert.ConversionService;
import org.springframework.core.convert.TypeDescriptor;
import org.springframework.core.convert.converter.GenericConverter;
import org.springframework.core.convert.support.GenericConversionService;
import org.springframework.format.support.FormattingConversionService;
import org.springframework.util.ReflectionUtils;

/**
 * Turns what an expression yielded into text, if its text says which one it is. Text that
 * differs between processes, such as {@code Order@1a2b} or a date in the format of a
 * locale, would exclude nobody.
 */
final class KeyText {

	private static final TypeDescriptor STRING = TypeDescriptor.valueOf(String.class);

	private static final Pattern IDENTITY = Pattern.compile("@[0-9a-f]+\\b");

	private final ConfigurableListableBeanFactory beanFactory;

	private volatile @Nullable ConversionService declared;

	KeyText(ConfigurableListableBeanFactory beanFactory) {
		this.beanFactory = beanFactory;
	}

	/**
	 * The text of a value.
	 * @param value what an expression yielded
	 * @return its text
	 * @throws IllegalArgumentException if it may not be part of a key
	 */
	String of(Object value) {
		String text = convert(value);
		if (text == null) {
			throw new IllegalArgumentException("its Converter gives null; have it give a text");
		}
		if (text.isBlank()) {
			throw new IllegalArgumentException("it is blank; call with a value that is not");
		}
		return text;
	}

	private @Nullable String convert(Object value) {
		if (value instanceof Enum<?> constant) {
			return constant.name();
		}
		if (value instanceof CharSequence || value instanceof Character || value instanceof Boolean
				|| value instanceof UUID
				|| (value instanceof Number && value.getClass().getName().startsWith("java."))) {
			return value.toString();
		}
		TypeDescriptor type = TypeDescriptor.forObject(value);
		ConversionService common = this.beanFactory.getConversionService();
		if (common != null && isRegistered(common, type)) {
			return common.convert(value, String.class);
		}
		ConversionService own = declared();
		if (isRegistered(own, type)) {
			return own.convert(value, String.class);
		}
		throw new IllegalArgumentException("it is of the type " + value.getClass().getTypeName()
				+ ", and a key is made of text, numbers, booleans, enums and UUIDs only; name a property of it, or"
				+ " declare a bean of the type Converter from it to String"
				+ ((value instanceof Collection || value.getClass().isArray())
						? "; to lock a key for each of its elements, use 'keys'" : ""));
	}

	/**
	 * The converters that are beans: Spring Boot registers them with the conversion
	 * service of a web application only.
	 */
	private ConversionService declared() {
		ConversionService service = this.declared;
		if (service == null) {
			// Without a lock: creating the beans may lead back to here.
			FormattingConversionService created = new FormattingConversionService();
			ApplicationConversionService.addBeans(created, this.beanFactory);
			this.declared = created;
			service = created;
		}
		return service;
	}

	/**
	 * Whether somebody registered a converter from that type to text: one that differs
	 * from what every application has, the catch-alls that call {@code toString()}
	 * included.
	 */
	private static boolean isRegistered(ConversionService conversions, @Nullable TypeDescriptor type) {
		if (type == null || !conversions.canConvert(type, STRING)) {
			return false;
		}
		if (!(conversions instanceof GenericConversionService generic)) {
			return true;
		}
		String found = Converters.describe(generic, type);
		return found != null && !found.equals(Converters.describe(Converters.COMMON, type));
	}

	/** Loaded only when a value needs it. */
	private static final class Converters {

		static final GenericConversionService COMMON = new ApplicationConversionService();

		private static final Method GET_CONVERTER = getConverter();

		private Converters() {
		}

		private static Method getConverter() {
			// No public method tells which converter is used.
			Method method = ReflectionUtils.findMethod(GenericConversionService.class, "getConverter",
					TypeDescriptor.class, TypeDescriptor.class);
			if (method == null) {
				throw new IllegalStateException("GenericConversionService has no method getConverter");
			}
			ReflectionUtils.makeAccessible(method);
			return method;
		}

		static @Nullable String describe(GenericConversionService conversions, TypeDescriptor type) {
			GenericConverter converter = (GenericConverter) ReflectionUtils.invokeMethod(GET_CONVERTER, conversions,
					type, STRING);
			return (converter != null) ? IDENTITY.matcher(converter.toString()).replaceAll("") : null;
		}

	}

}
