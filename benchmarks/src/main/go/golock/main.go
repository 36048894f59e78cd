// Command golock measures the locks of Consul's Go client, as it is told: a command a line on standard input, its
// answer a line on standard output. It ends with its input. Its one argument says whose session holds the locks:
// "shared", one a client, or "own", one a lock, which is the Go client's default.
//
//	pairs CLIENTS THREADS SHARED KEY   running; each thread locks and unlocks, all the same key if SHARED is true
//	pause                              paused, between two locks
//	measure                            measuring
//	stop                               {...}, what was measured since
//	hold N KEY                         {...}, of N locks held
//	lose KEY                           nanoseconds from the destruction of a session until its holder is told
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/consul/api"
)

var ownSessions = len(os.Args) > 1 && os.Args[1] == "own"

// A client, as another process would have one.
type peer struct {
	client  *api.Client
	session string
	done    chan struct{}
}

func newPeer() *peer {
	client, err := api.NewClient(api.DefaultConfig())
	check(err)
	p := &peer{client: client}
	p.begin()
	return p
}

// Begins a session, if it is the client's that holds its locks.
func (p *peer) begin() {
	p.done = make(chan struct{})
	if !ownSessions {
		var err error
		p.session, _, err = p.client.Session().CreateNoChecks(&api.SessionEntry{TTL: "25s"}, nil)
		check(err)
		go p.client.Session().RenewPeriodic("25s", p.session, nil, p.done)
	}
}

func (p *peer) lock(key string) *api.Lock {
	lock, err := p.client.LockOpts(&api.LockOptions{Key: key, Session: p.session})
	check(err)
	return lock
}

func (p *peer) close() {
	close(p.done)
	if p.session != "" {
		p.client.Session().Destroy(p.session, nil)
	}
}

type release struct {
	worker int
	at     time.Time
}

type worker struct {
	pairs, handOvers []int64
}

type load struct {
	peers              []*peer
	workers            []*worker
	running, measuring atomic.Bool
	completed          atomic.Int64
	gate               sync.RWMutex // held by each worker while it is at work
	last               atomic.Pointer[release]
	done               sync.WaitGroup
	cpu                time.Duration
	start              time.Time
	threads            int
}

func newLoad(peers, threads int, shared bool, key string) *load {
	l := &load{threads: threads}
	l.running.Store(true)
	for i := 0; i < peers; i++ {
		p := newPeer()
		l.peers = append(l.peers, p)
		for j := 0; j < threads; j++ {
			w := &worker{}
			id := len(l.workers)
			l.workers = append(l.workers, w)
			name := key
			if !shared {
				name = fmt.Sprintf("%s/%d", key, id)
			}
			l.done.Add(1)
			go l.work(w, id, p.lock(name), shared)
		}
	}
	return l
}

func (l *load) work(w *worker, id int, lock *api.Lock, shared bool) {
	defer l.done.Done()
	for l.running.Load() {
		l.gate.RLock()
		start := time.Now()
		lost, err := lock.Lock(nil)
		check(err)
		if lost == nil {
			check(fmt.Errorf("not acquired"))
		}
		acquired := time.Now()
		measuring := l.measuring.Load()
		if shared {
			last := l.last.Load()
			if measuring && last != nil && last.worker != id {
				w.handOvers = append(w.handOvers, int64(acquired.Sub(last.at)))
			}
			l.last.Store(&release{id, time.Now()})
		}
		check(lock.Unlock())
		if measuring {
			w.pairs = append(w.pairs, int64(time.Since(start)))
			l.completed.Add(1)
		}
		l.gate.RUnlock()
	}
}

func (l *load) measure() {
	l.cpu, l.start = cpu(), time.Now()
	l.measuring.Store(true)
	l.gate.Unlock()
}

func (l *load) stop() map[string]any {
	// Those that wait for a lock still get it, which may take long and is not counted.
	rate := float64(l.completed.Load()) / time.Since(l.start).Seconds()
	l.running.Store(false)
	l.done.Wait()
	used := cpu() - l.cpu
	var pairs, handOvers []int64
	perPeer := make([]int, len(l.peers))
	for i, w := range l.workers {
		pairs = append(pairs, w.pairs...)
		handOvers = append(handOvers, w.handOvers...)
		perPeer[i/l.threads] += len(w.pairs)
	}
	sort.Ints(perPeer)
	return map[string]any{"rate": rate, "cpu": used.Nanoseconds(), "pairs": len(pairs), "p50": percentile(pairs, 50),
		"p99": percentile(pairs, 99), "handOvers": len(handOvers), "handOverP50": percentile(handOvers, 50),
		"handOverP99": percentile(handOvers, 99), "least": perPeer[0], "most": perPeer[len(perPeer)-1]}
}

func percentile(values []int64, percent int) int64 {
	if len(values) == 0 {
		return 0
	}
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	return values[(len(values)-1)*percent/100]
}

func cpu() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// Holds as many of the locks as it can, until the process ends.
func hold(count int, key string) map[string]any {
	p := newPeer()
	before, threads := heap(), runtime.NumGoroutine()
	failure := ""
	var lost []<-chan struct{}
	for i := 0; i < count; i++ {
		lock := p.lock(fmt.Sprintf("%s/%d", key, i))
		stop := make(chan struct{})
		timer := time.AfterFunc(5*time.Second, func() { close(stop) })
		leader, err := lock.Lock(stop)
		timer.Stop()
		if err != nil || leader == nil {
			failure = fmt.Sprintf("no %d was not acquired: %v", i+1, err)
			break
		}
		lost = append(lost, leader)
	}
	time.Sleep(time.Second)
	held := 0
	for _, leader := range lost {
		select {
		case <-leader:
		default:
			held++
		}
	}
	return map[string]any{"held": held, "failure": failure, "heap": heap() - before,
		"goroutines": runtime.NumGoroutine() - threads}
}

// A client for all losses: each has its own connections, and Consul allows 200.
var losing *peer

func lose(key string) int64 {
	if losing == nil {
		losing = newPeer()
	} else {
		losing.begin()
	}
	p := losing
	lost, err := p.lock(key).Lock(nil)
	check(err)
	session := p.session
	if session == "" {
		pair, _, err := p.client.KV().Get(key, nil)
		check(err)
		session = pair.Session
	}
	start := time.Now()
	_, err = p.client.Session().Destroy(session, nil)
	check(err)
	<-lost
	told := time.Since(start)
	close(p.done)
	return int64(told)
}

func check(err error) {
	if err != nil {
		fmt.Println("error: " + strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func main() {
	var current *load
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		var answer any
		switch words[0] {
		case "pairs":
			current = newLoad(number(words[1]), number(words[2]), words[3] == "true", words[4])
			answer = "running"
		case "pause":
			current.gate.Lock()
			answer = "paused"
		case "measure":
			current.measure()
			answer = "measuring"
		case "stop":
			answer = current.stop()
		case "hold":
			answer = hold(number(words[1]), words[2])
		case "lose":
			answer = lose(words[1])
		default:
			check(fmt.Errorf("unknown command %s", words[0]))
		}
		line, err := json.Marshal(answer)
		check(err)
		fmt.Println(string(line))
	}
	if current != nil {
		for _, p := range current.peers {
			p.close()
		}
	}
}
