package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import io.github.consullock.LockOptions;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.expression.Expression;
import org.springframework.expression.ParserContext;
import org.springframework.expression.TypeLocator;
import org.springframework.expression.common.CompositeStringExpression;
import org.springframework.expression.common.LiteralExpression;
import org.springframework.expression.common.TemplateAwareExpressionParser;
import org.springframework.expression.common.TemplateParserContext;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.CompoundExpression;
import org.springframework.expression.spel.ast.FunctionReference;
import org.springframework.expression.spel.ast.PropertyOrFieldReference;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.StandardTypeLocator;

/**
 * Parses and checks key templates when the application starts.
 */
final class KeyTemplateParser {

	private static final ParserContext TEMPLATE = new TemplateParserContext();

	private static final Set<String> ROOT_PROPERTIES = Set.of("methodName", "args", "target");

	private final ParameterNameDiscoverer parameterNames = new DefaultParameterNameDiscoverer();

	private final ConfigurableListableBeanFactory beanFactory;

	private final KeyText texts;

	/** Not the default one, which would take the class loader of the calling thread. */
	private final TypeLocator types;

	KeyTemplateParser(ConfigurableListableBeanFactory beanFactory) {
		this.beanFactory = beanFactory;
		this.texts = new KeyText(beanFactory);
		this.types = new StandardTypeLocator(beanFactory.getBeanClassLoader());
	}

	/**
	 * Parses a template.
	 * @param template the template
	 * @param method the annotated method
	 * @param beanClass the class of the bean that it is called on
	 * @return the parsed template
	 * @throws IllegalArgumentException if it cannot give a key, whatever the arguments
	 */
	KeyTemplate parse(String template, Method method, Class<?> beanClass) {
		if (template.isBlank()) {
			throw new IllegalArgumentException("it is blank");
		}
		List<Expression> parts = new ArrayList<>();
		StringBuilder sample = new StringBuilder();
		for (Expression part : split(template)) {
			if (part instanceof LiteralExpression literal) {
				// Resolved after the split, so that a property's value is never an
				// expression.
				String text = resolve(literal.getExpressionString());
				parts.add(new LiteralExpression(text));
				sample.append(text);
			}
			else {
				SpelExpression expression = (SpelExpression) part;
				checkNames(expression.getAST(), method);
				checkStart(expression.getAST());
				parts.add(expression);
				sample.append('x');
			}
		}
		check(sample.toString());
		return new KeyTemplate(template, parts, method, beanClass, this.beanFactory, this.parameterNames, this.texts,
				this.types);
	}

	private static void check(String sample) {
		try {
			LockOptions.checkKey(sample);
		}
		catch (IllegalArgumentException ex) {
			// As other annotations have it.
			if (sample.indexOf('#') >= 0 || sample.indexOf('{') >= 0) {
				throw new IllegalArgumentException(
						ex.getMessage() + "; an expression stands in #{...}, such as #{#id}, and a property in ${...}",
						ex);
			}
			throw ex;
		}
	}

	private List<Expression> split(String template) {
		Expression parsed = new Parser().parseExpression(template, TEMPLATE);
		return (parsed instanceof CompositeStringExpression composite) ? Arrays.asList(composite.getExpressions())
				: List.of(parsed);
	}

	private String resolve(String text) {
		String resolved = this.beanFactory.resolveEmbeddedValue(text);
		return (resolved != null) ? resolved : "";
	}

	/**
	 * SpEL takes a variable that does not exist for null: found here, not at the first
	 * call.
	 */
	private void checkNames(SpelNode node, Method method) {
		if (node instanceof FunctionReference) {
			throw new IllegalArgumentException(node.toStringAST()
					+ " calls a function, and there are none in a key; call a bean's method: @bean.method(...)");
		}
		if (node instanceof VariableReference) {
			String name = node.toStringAST().substring(1);
			@Nullable String[] names = this.parameterNames.getParameterNames(method);
			if (!isVariable(name, names, method.getParameterCount())) {
				throw new IllegalArgumentException("#" + name + " names no parameter; " + ((names != null)
						? "there are " + variables(names)
						: "the names of the parameters are not in the class file: compile with -parameters, or use #p0, #p1, ..."));
			}
		}
		for (int i = 0; i < node.getChildCount(); i++) {
			checkNames(node.getChild(i), method);
		}
	}

	private static boolean isVariable(String name, @Nullable String @Nullable [] names, int parameterCount) {
		if (name.equals("root") || name.equals("this") || (names != null && Arrays.asList(names).contains(name))) {
			return true;
		}
		if (name.matches("[ap](0|[1-9][0-9]{0,2})")) {
			return Integer.parseInt(name.substring(1)) < parameterCount;
		}
		return false;
	}

	private static String variables(@Nullable String[] names) {
		Set<String> variables = new LinkedHashSet<>();
		for (int i = 0; i < names.length; i++) {
			variables.add("#" + names[i]);
			variables.add("#p" + i);
		}
		variables.add("#root");
		return String.join(", ", variables);
	}

	/** {@code #{id}} in place of {@code #{#id}}. */
	private static void checkStart(SpelNode ast) {
		SpelNode start = (ast instanceof CompoundExpression) ? ast.getChild(0) : ast;
		if (start instanceof PropertyOrFieldReference reference && !ROOT_PROPERTIES.contains(reference.getName())) {
			throw new IllegalArgumentException("'" + reference.getName() + "' is no property of #root; a parameter is #"
					+ reference.getName() + ", and plain text in an expression stands in '...'");
		}
	}

	private final class Parser extends TemplateAwareExpressionParser {

		private final SpelExpressionParser spel = new SpelExpressionParser();

		@Override
		protected Expression doParseExpression(String expression, @Nullable ParserContext context) {
			return this.spel.parseRaw(resolve(expression));
		}

	}

}
