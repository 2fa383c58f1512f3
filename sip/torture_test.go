package sip

import (
	"fmt"
	"strings"
	"testing"
)

// TestTorture sends messages made after RFC 4475 and judges each answer as that
// RFC asks of a server; the message "alive" after each proves survival. Code 0:
// any final answer will do; -1: none may come.
func TestTorture(t *testing.T) {
	s := start(t, &app{call: talk(newMedia()), route: func(string) Route { return Route{} }}, nil)
	base := func(first string, lines ...string) string {
		return first + "\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	long := strings.Repeat("loooong", 120)
	sdpBody := "v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0 12\r\n"
	for _, c := range []struct {
		name string
		code int
		raw  string // VIA becomes the peer's sent-by
	}{
		{"wsinv", 481, base("INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0",
			"TO :", " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n", `from   : "J Rosenberg \\\""       <sip:jdrosen@example.com>`, "  ;", "  tag = 98asjd8",
			"MaX-fOrWaRdS: 0068", "Call-ID: wsinv.ndaksdj@192.0.2.1", fmt.Sprintf("Content-Length   : %d", len(sdpBody)), "cseq: 0009", "  INVITE", "Via  : SIP  /   2.0", " /UDP", "    VIA;rport;branch=390skdjuw",
			"s :", "NewFangledHeader:   newfangled value", " continued newfangled value", "UnknownHeaderWithUnusualValue: ;;,,;;,;", "Content-Type: application/sdp", "Route:", " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>",
			"v:  SIP  / 2.0  / TCP     spindle.example.com   ;", "  branch  =   z9hG4bK9ikj8  ,", " SIP  /    2.0   / UDP  192.168.255.111   ; branch=", " z9hG4bK30239",
			`m:"Quoted string \"\"" <sip:jdrosen@example.com> ; newparam =`, "      newvalue ;", "  secondparam ; q = 0.33") + sdpBody},
		{"intmeth", 405, base("!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
			"Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bK-.!%66*_+`'~", `To: "BEL:\`+"\x07"+` DEL:\`+"\x7f"+`" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>`,
			"From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"x\";tag=_token~1'+`*%!-.", "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
			"CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~", "Max-Forwards: 255", "extensionHeader-!.%*+_`'~: \xef\xbb\xbf\xe5\xa4\xa7", "Content-Length: 0")},
		{"esc01", 404, base("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0", "To: sip:%75se%72@example.com", "From: <sip:I%20have%20spaces@example.net>;tag=938",
			"Max-Forwards: 87", "i: esc01.239409asdfakjkn23onasd0-3234", "CSeq: 234234 INVITE", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw", "C: application/sdp",
			"Contact:", "  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>", fmt.Sprintf("Content-Length: %d", len(sdpBody))) + sdpBody},
		{"escnull", 405, base("REGISTER sip:example.com SIP/2.0", "To: sip:null-%00-null@example.com", "From: sip:null-%00-null@example.com;tag=839923423", "Max-Forwards: 70",
			"Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd", "CSeq: 14398234 REGISTER", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw1", "Contact: <sip:%00@host5.example.com>", "Contact: <sip:%00%00@host5.example.com>", "L:0")},
		{"esc02", 405, base("RE%47IST%45R sip:registrar.example.com SIP/2.0", `To: "%Z%45" <sip:resource@example.com>`, `From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23`,
			"Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bK209%fzsnel234", "CSeq: 29344 RE%47IST%45R", "Max-Forwards: 70", "Contact: <sip:alias1@host1.example.com>", "C%6Fntact: <sip:alias2@host2.example.com>", "l: 0")},
		{"lwsdisp", 200, base("OPTIONS sip:user@example.com SIP/2.0", "To: sip:user@example.com", "From: caller<sip:caller@example.com>;tag=323", "Max-Forwards: 70", "Call-ID: lwsdisp.1234abcd@funky.example.com", "CSeq: 60 OPTIONS", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw2", "l: 0")},
		{"longreq", 404, base("INVITE sip:user@example.com SIP/2.0", `To: "I have a user name of `+long+`" <sip:user@example.com:6000;unknownparam1=very`+long+`;tag=x1>`,
			"From: sip:"+long+"@example.com;tag=12982"+long, "Call-ID: longreq.one"+long, "CSeq: 3882340 INVITE", "Max-Forwards: 70", "Unknown-"+long+": unknown", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKlong"+long,
			"v: SIP/2.0/UDP 192.0.2.2;branch="+long, "Contact: <sip:"+long+"@host5.example.net>", "l: 0")},
		{"dblreq", 405, base("REGISTER sip:example.com SIP/2.0", "To: sip:j.user@example.com", "From: sip:j.user@example.com;tag=43251j3j324", "Max-Forwards: 8", "I: dblreq.0ha0isndaksdj99sdfafnl3lk233412", "Contact: sip:j.user@host.example.com",
			"CSeq: 8 REGISTER", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw23492", "Content-Length: 0") + "\r\nINVITE sip:joe@example.com SIP/2.0\r\n"},
		{"semiuri", 200, base("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0", "To: sip:j_user@example.com", "From: sip:caller@example.org;tag=33242", "Max-Forwards: 3", "Call-ID: semiuri.0ha0isndaksdj", "CSeq: 8 OPTIONS",
			"Accept: application/sdp, application/pkcs7-mime, multipart/mixed", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw3", "l: 0")},
		{"transports", 200, base("OPTIONS sip:user@example.com SIP/2.0", "To: sip:user@example.com", "From: <sip:caller@example.com>;tag=323", "Max-Forwards: 70", "Call-ID: transports.kijh4akdnaqjkwendsasfdj", "Accept: application/sdp", "CSeq: 60 OPTIONS",
			"Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw4", "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf", "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en", "l: 0")},
		{"mpart01", 405, base("MESSAGE sip:kumiko@example.org SIP/2.0", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bK-d87543-4dade06d0bdb11ee", "Max-Forwards: 70", "Route: <sip:127.0.0.1:5080>", "Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuL",
			"Contact: <sip:fluffy@127.0.0.1:5070>", "To: <sip:kumiko@example.org>", "From: <sip:fluffy@example.com>;tag=2fb0dcc9", "Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..", "CSeq: 1 MESSAGE", "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655",
			"Date: Sat, 15 Oct 2005 04:44:56 GMT", "Content-Length: 5") + "--7a9"},
		{"unreason", -1, base("SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe", "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923", "Call-ID: unreason.1234ksdfak3j2erwedfsASdf", "CSeq: 35 INVITE", "From: sip:user@example.com;tag=11141343", "To: sip:user@example.edu;tag=2229", "Content-Length: 0")},
		{"noreason", -1, base("SIP/2.0 100 ", "Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe", "Call-ID: noreason.asndj203insdf99223ndf", "CSeq: 35 INVITE", "From: <sip:user@example.com>;tag=39ansfi3", "To: <sip:user@example.edu>;tag=902jndnke3", "Content-Length: 0")},
		{"scalarlg", -1, base("SIP/2.0 503 Service Unavailable", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKzzxdiwo34sw", "To: <sip:user@example.com>", "From: <sip:other@example.net>;tag=2easdjfejw", "CSeq: 9292394834772304023312 OPTIONS", "Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r", "Retry-After: 949302838503028349304023988", "Content-Length: 0")},
		{"bigcode", -1, base("SIP/2.0 4294967301 better not break the receiver", "Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe", "Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i", "CSeq: 353494 INVITE", "From: <sip:user@example.com>;tag=39ansfi3", "To: <sip:user@example.edu>;tag=902jndnke3", "Content-Length: 0")},
		{"bcast", -1, base("SIP/2.0 200 OK", "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923", "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23", "Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf", "CSeq: 35 INVITE", "From: sip:user@example.com;tag=11141343", "To: sip:user@example.edu;tag=2229", "Content-Length: 0")},
		{"badinv01", 400, base("INVITE sip:user@example.com SIP/2.0", "To: sip:j.user@example.com", "From: sip:caller@example.net;tag=134161461246", "Max-Forwards: 7", "Call-ID: badinv01.0ha0isndaksdjasdf3234nas", "CSeq: 8 INVITE", "Via: SIP/2.0/UDP VIA;;rport;,;,,", `Contact: "Joe" <sip:joe@example.org>;;;;`, "Content-Length: 0")},
		{"clerr", 400, base("INVITE sip:user@example.com SIP/2.0", "Max-Forwards: 80", "To: sip:j.user@example.com", "From: sip:caller@example.net;tag=93942939o2", "Contact: <sip:caller@hungry.example.net>", "Call-ID: clerr.0ha0isndaksdjweiafasdk3", "CSeq: 8 INVITE", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bK-39234-23523", "Content-Type: application/sdp", "Content-Length: 9999") + sdpBody},
		{"insuf", 400, base("INVITE sip:user@example.com SIP/2.0", "CSeq: 193942 INVITE", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdj.insuf", "Content-Type: application/sdp", "l: 0")},
		{"quotbal", 400, base("INVITE sip:user@example.com SIP/2.0", `To: "Mr. J. User <sip:j.user@example.com>`, "From: sip:caller@example.net;tag=93334", "Max-Forwards: 10", "Call-ID: quotbal.aksdj", "Contact: <sip:caller@host59.example.net>", "CSeq: 8 INVITE", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw39234", "l: 0")},
		{"mcl01", 400, base("OPTIONS sip:user@example.com SIP/2.0", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bK293423", "To: sip:user@example.com", "From: sip:other@example.net;tag=3923942", "Call-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf", "CSeq: 15932 OPTIONS", "Content-Length: 13", "Max-Forwards: 60", "Content-Length: 5", "Content-Type: text/plain") + "There's no way"},
		{"multi01", 400, base("INVITE sip:user@company.com SIP/2.0", "Contact: <sip:caller@host25.example.net>", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw5", "Max-Forwards: 70", "CSeq: 5 INVITE", "Call-ID: multi01.98asdh@192.0.2.1", "CSeq: 59 INVITE", "Call-ID: multi01.98asdh@192.0.2.2", "From: sip:caller@example.com;tag=3413415", "To: sip:user@example.com", "To: sip:other@example.net", "l: 0")},
		{"unkscm", 416, base("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", "To: sip:user@example.com", "From: sip:caller@example.net;tag=384", "Max-Forwards: 3", "Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34", "CSeq: 3923423 OPTIONS", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw39234", "Content-Length: 0")},
		{"bext01", 420, base("OPTIONS sip:user@example.com SIP/2.0", "To: sip:j_user@example.com", "From: sip:caller@example.net;tag=242etr", "Max-Forwards: 6", "Call-ID: bext01.0ha0isndaksdj", "Require: nothingSupportsThis, nothingSupportsThisEither", "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis", "CSeq: 8 OPTIONS", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bK-bext01", "Content-Length: 0")},
		{"invut", 415, base("INVITE sip:user@example.com SIP/2.0", "Contact: <sip:caller@host5.example.net>", "To: sip:j.user@example.com", "From: sip:caller@example.net;tag=8392034", "Max-Forwards: 70", "Call-ID: invut.0ha0isndaksdjadsfij34n23d", "CSeq: 235448 INVITE", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw6", "Content-Type: application/unknownformat", "Content-Length: 8") + "<audio/>"},
		{"sdp01", 406, base("INVITE sip:user@example.com SIP/2.0", "To: sip:j_user@example.com", "Contact: <sip:caller@host15.example.net>", "From: sip:caller@example.net;tag=234", "Max-Forwards: 5", "Call-ID: sdp01.ndaksdj9342dasdd", "Accept: text/nobodyKnowsThis", "CSeq: 8 INVITE", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw7", fmt.Sprintf("Content-Length: %d", len(sdpBody)), "Content-Type: application/sdp") + sdpBody},
		{"zeromf", 200, base("OPTIONS sip:user@example.com SIP/2.0", "To: sip:user@example.com", "From: sip:caller@example.net;tag=3ghsd41", "Call-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas", "CSeq: 39234321 OPTIONS", "Via: SIP/2.0/UDP VIA;rport;branch=z9hG4bKkdjuw2349i", "Max-Forwards: 0", "Content-Length: 0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, s, "udp")
			p.send(strings.ReplaceAll(c.raw, "VIA", p.addr()))
			p.send(p.leg("alive").request("OPTIONS", "z9hG4bK-alive-"+c.name, 4711, "", ""))
			if c.code > 0 {
				m := p.expect("answer", func(m message) bool { return m.code() >= 200 && m.get("CSeq") != "4711 OPTIONS" })
				if m.code() != c.code {
					t.Errorf("answer %q, wanted %d", m.first, c.code)
				}
			}
			p.expect("life", func(m message) bool { return m.get("CSeq") == "4711 OPTIONS" && m.code() == 200 })
			for _, m := range p.held {
				if c.code == -1 {
					t.Errorf("answered %q", m.first)
				}
			}
		})
	}
}
