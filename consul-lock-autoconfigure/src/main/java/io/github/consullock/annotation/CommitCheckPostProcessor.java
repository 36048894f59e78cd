package io.github.consullock.annotation;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.TransactionExecutionListener;

/**
 * Has every transaction manager check, just before it commits, that the locks are held
 * which the committing thread runs under, by an annotated method or by
 * {@code ConsulLockRegistry.executeLocked}, and those that are released after the
 * transaction. If one was lost, the transaction is rolled back, and who commits gets
 * {@link io.github.consullock.LockLostException}. Methods that are to go on after a loss
 * ({@link LossPolicy#NOTIFY}) are let alone.
 * <p>
 * Concerns all beans that are a {@link ConfigurableTransactionManager}, as those of
 * Spring are. To be registered as a bean of the role {@code ROLE_INFRASTRUCTURE}.
 *
 * @since 0.1.0
 */
public final class CommitCheckPostProcessor
		implements BeanPostProcessor, SmartInitializingSingleton, PriorityOrdered, AopInfrastructureBean {

	private final ConfigurableListableBeanFactory beanFactory;

	private final boolean enabled;

	private final TransactionExecutionListener check = new CommitCheck();

	/**
	 * Creates the post-processor.
	 * @param beanFactory where transaction managers are found that exist already
	 * @param enabled whether to check; if not, transaction managers are left as they are
	 */
	public CommitCheckPostProcessor(ConfigurableListableBeanFactory beanFactory, boolean enabled) {
		this.beanFactory = beanFactory;
		this.enabled = enabled;
	}

	@Override
	public int getOrder() {
		return Ordered.LOWEST_PRECEDENCE;
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		addCheck(bean);
		return bean;
	}

	/**
	 * Adds the check to those that another post-processor needed, before there was this
	 * one.
	 */
	@Override
	public void afterSingletonsInstantiated() {
		for (String beanName : this.beanFactory.getSingletonNames()) {
			Object bean = this.beanFactory.getSingleton(beanName);
			if (bean != null) {
				addCheck(bean);
			}
		}
	}

	private void addCheck(Object bean) {
		if (this.enabled && bean instanceof ConfigurableTransactionManager manager) {
			Collection<TransactionExecutionListener> present = manager.getTransactionExecutionListeners();
			if (!present.contains(this.check)) {
				// Last, and so next to the commit. Not added: a user may have set a fixed
				// list.
				List<TransactionExecutionListener> listeners = new ArrayList<>(present);
				listeners.add(this.check);
				manager.setTransactionExecutionListeners(listeners);
			}
		}
	}

}
