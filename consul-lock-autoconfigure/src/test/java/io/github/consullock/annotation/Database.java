package io.github.consullock.annotation;

import java.util.List;

import javax.sql.DataSource;

import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Role;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabase;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseBuilder;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseType;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * A database with a table of notes, and transactions that check locks.
 */
@Configuration(proxyBeanMethods = false)
@EnableTransactionManagement
class Database {

	@Bean
	@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
	static CommitCheckPostProcessor commitCheckPostProcessor(ConfigurableListableBeanFactory beanFactory) {
		return new CommitCheckPostProcessor(beanFactory, true);
	}

	@Bean(destroyMethod = "shutdown")
	EmbeddedDatabase dataSource() {
		return new EmbeddedDatabaseBuilder().setType(EmbeddedDatabaseType.H2).generateUniqueName(true).build();
	}

	@Bean
	JdbcTransactionManager transactionManager(DataSource dataSource) {
		return new JdbcTransactionManager(dataSource);
	}

	@Bean
	TransactionTemplate transactionTemplate(PlatformTransactionManager transactionManager) {
		return new TransactionTemplate(transactionManager);
	}

	@Bean
	Notes notes(DataSource dataSource) {
		return new Notes(JdbcClient.create(dataSource));
	}

	static final class Notes {

		private final JdbcClient jdbc;

		Notes(JdbcClient jdbc) {
			this.jdbc = jdbc;
			this.jdbc.sql("create table note (text varchar(100))").update();
		}

		void write(String text) {
			this.jdbc.sql("insert into note (text) values (?)").param(text).update();
		}

		List<String> all() {
			return this.jdbc.sql("select text from note").query(String.class).list();
		}

	}

}
