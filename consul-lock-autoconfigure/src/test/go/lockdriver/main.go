// Command lockdriver holds locks and semaphores of Consul's Go client, as it is told: a command a line on standard
// input, its answer a line on standard output. It ends with its input.
//
//	lock KEY [NAME=VALUE]...                 the lock that the next commands are about
//	semaphore PREFIX LIMIT [NAME=VALUE]...   the semaphore that they are about
//	acquire                                  acquired | denied
//	lost?                                    lost | held
//	release                                  released
//	destroy                                  destroyed
//	entry KEY                                SESSION FLAGS VALUE, of an entry of any client
//	lock-rounds N KEY DIR                    done
//	permit-rounds N PREFIX LIMIT DIR         done
//
// or "error: " and what the client says. Names are wait (a duration; then it tries once), ttl, delay and behavior (of a
// session without health checks, in place of the client's own), session (an id), value, and retries (of its monitor).
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

// What a lock and a semaphore have in common.
type exclusion struct {
	acquire func(stop <-chan struct{}) (<-chan struct{}, error)
	release func() error
	destroy func() error
}

type driver struct {
	client  *api.Client
	current exclusion
	lost    <-chan struct{}
}

func main() {
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Read apart: the end of the input ends this process in the midst of a command too.
	commands := make(chan string, 100)
	go func() {
		input := bufio.NewScanner(os.Stdin)
		for input.Scan() {
			commands <- input.Text()
		}
		os.Exit(0)
	}()
	d := &driver{client: client}
	for command := range commands {
		answer, err := d.run(strings.Fields(command))
		if err != nil {
			answer = "error: " + err.Error()
		}
		fmt.Println(strings.ReplaceAll(answer, "\n", " "))
	}
}

func (d *driver) run(words []string) (string, error) {
	switch command, args := words[0], words[1:]; command {
	case "lock":
		return "ok", d.useLock(args[0], args[1:])
	case "semaphore":
		return "ok", d.useSemaphore(args[0], args[1], args[2:])
	case "acquire":
		return d.acquire()
	case "lost?":
		select {
		case <-d.lost:
			return "lost", nil
		default:
			return "held", nil
		}
	case "release":
		return "released", d.current.release()
	case "destroy":
		return "destroyed", d.current.destroy()
	case "entry":
		pair, _, err := d.client.KV().Get(args[0], nil)
		if err != nil || pair == nil {
			return "none", err
		}
		return fmt.Sprintf("%s %d %s", pair.Session, pair.Flags, pair.Value), nil
	case "lock-rounds":
		return "done", d.lockRounds(args[0], args[1], args[2])
	case "permit-rounds":
		return "done", d.permitRounds(args[0], args[1], args[2], args[3])
	}
	return "", errors.New("unknown command " + words[0])
}

func (d *driver) acquire() (string, error) {
	lost, err := d.current.acquire(nil)
	if err != nil {
		return "", err
	}
	if lost == nil {
		return "denied", nil
	}
	d.lost = lost
	return "acquired", nil
}

func (d *driver) useLock(key string, args []string) error {
	s, err := d.settings(args)
	if err != nil {
		return err
	}
	lock, err := d.client.LockOpts(&api.LockOptions{Key: key, Value: s.value, Session: s.session,
		LockTryOnce: s.wait != 0, LockWaitTime: s.wait, MonitorRetries: s.retries})
	if err != nil {
		return err
	}
	d.current = exclusion{lock.Lock, lock.Unlock, lock.Destroy}
	return nil
}

func (d *driver) useSemaphore(prefix, limit string, args []string) error {
	s, err := d.settings(args)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(limit)
	if err != nil {
		return err
	}
	semaphore, err := d.client.SemaphoreOpts(&api.SemaphoreOptions{Prefix: prefix, Limit: number, Value: s.value,
		Session: s.session, SemaphoreTryOnce: s.wait != 0, SemaphoreWaitTime: s.wait, MonitorRetries: s.retries})
	if err != nil {
		return err
	}
	d.current = exclusion{semaphore.Acquire, semaphore.Release, semaphore.Destroy}
	return nil
}

type settings struct {
	wait    time.Duration
	session string
	value   []byte
	retries int
}

func (d *driver) settings(args []string) (settings, error) {
	var s settings
	entry := api.SessionEntry{Name: "lockdriver"}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		var err error
		switch name {
		case "wait":
			s.wait, err = time.ParseDuration(value)
		case "delay":
			entry.LockDelay, err = time.ParseDuration(value)
		case "ttl":
			entry.TTL = value
		case "behavior":
			entry.Behavior = value
		case "session":
			s.session = value
		case "value":
			s.value = []byte(value)
		case "retries":
			s.retries, err = strconv.Atoi(value)
		default:
			err = errors.New("unknown setting " + name)
		}
		if err != nil {
			return s, err
		}
	}
	if entry.TTL != "" {
		id, _, err := d.client.Session().CreateNoChecks(&entry, nil)
		if err != nil {
			return s, err
		}
		s.session = id
		go d.client.Session().RenewPeriodic(entry.TTL, id, nil, nil)
	}
	return s, nil
}

func (d *driver) lockRounds(rounds, key, dir string) error {
	return repeat(rounds, func() error {
		return whileLocked(context.Background(), d.client, key, func(_ context.Context, token uint64) error {
			return inside(dir, 1, func() error { return risesTo(filepath.Join(dir, "..", "token"), token) })
		})
	})
}

func (d *driver) permitRounds(rounds, prefix, limit, dir string) error {
	number, err := strconv.Atoi(limit)
	if err != nil {
		return err
	}
	return repeat(rounds, func() error {
		return withPermit(context.Background(), d.client, prefix, number, func(context.Context) error {
			return inside(dir, number, func() error { return nil })
		})
	})
}

func repeat(rounds string, round func() error) error {
	number, err := strconv.Atoi(rounds)
	for i := 0; err == nil && i < number; i++ {
		err = round()
	}
	return err
}

// Shows by a file that somebody is inside, and looks who else is.
func inside(dir string, limit int, work func() error) error {
	file, err := os.CreateTemp(dir, "go-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	time.Sleep(20 * time.Millisecond)
	others, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(others) > limit {
		return fmt.Errorf("%d are inside at once: %v", len(others), others)
	}
	return work()
}

// Remembers the token in a file, which only the holder writes.
func risesTo(file string, token uint64) error {
	var last uint64
	if text, err := os.ReadFile(file); err == nil {
		if last, err = strconv.ParseUint(string(text), 10, 64); err != nil {
			return err
		}
	} else if !os.IsNotExist(err) {
		return err
	}
	if token <= last {
		return fmt.Errorf("token %d after %d", token, last)
	}
	return os.WriteFile(file, []byte(strconv.FormatUint(token, 10)), 0o600)
}
