package api

import (
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// AdminOptions is what the machines' door is made of.
type AdminOptions struct {
	Metrics prometheus.Gatherer
	Status  Status
	// Notice is what an operator should know of a server that is ready; "" = nothing. nil
	// = there never is.
	Notice   func() string
	Profiles bool // serve /debug/pprof
}

// Admin is the handler of http.admin_listen: /metrics; /livez, which answers as
// long as the process does; /readyz, 503 with the reason while new calls are not
// let in, and what else an operator should know; profiles where they are switched on. It answers only requests that name
// it by a loopback address, so that no page in a browser on this machine can be
// led here under a name of its own.
func Admin(o AdminOptions) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := o.Status.Ready(); err != nil {
			w.Header().Set("Retry-After", "5")
			plain(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		text := "ok"
		if o.Notice != nil && o.Notice() != "" {
			text += "\n" + o.Notice()
		}
		plain(w, http.StatusOK, text)
	})
	if o.Profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !namesLoopback(r.Host) {
			plain(w, http.StatusForbidden, "This door answers to a loopback address only, such as 127.0.0.1.")
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

func namesLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
