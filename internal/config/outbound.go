package config

import (
	"net/url"
	"slices"
	"strings"
)

// Outbound says which calls may be made and caps their number and cost. With an
// empty Allow nothing can be dialled. A count or sum of 0 means none may be made,
// never "no limit".
type Outbound struct {
	Allow            []string           `yaml:"allow"` // number prefixes such as +8610, sip:HOST, or a whole sip:USER@HOST
	Deny             []string           `yaml:"deny"`  // number prefixes; stronger than Allow
	CallsAtOnce      int                `yaml:"calls_at_once"`
	CallsPerHour     int                `yaml:"calls_per_hour"`
	CallsPerDay      int                `yaml:"calls_per_day"`
	PerNumberPerHour int                `yaml:"per_number_per_hour"`
	PerNumberPerDay  int                `yaml:"per_number_per_day"`
	MinutesPerDay    int                `yaml:"minutes_per_day"`
	MaxMinutes       int                `yaml:"max_minutes"`   // of one call
	MoneyPerDay      float64            `yaml:"money_per_day"` // in the currency of Prices; 0 with no Prices = not counted
	Prices           map[string]float64 `yaml:"prices"`        // number prefix → price of a minute
}

// Premium ranges are denied whatever the configuration allows: they cost the
// caller by design. International Premium Rate (ITU-T E.164.2), satellite, and
// national ranges of the countries most abused.
var premium = [...]string{
	"+979", "+870", "+881", "+882", "+883", "+888", // international: premium rate, satellite, networks
	"+1900", "+1976", // North America
	"+4487", "+449", "+4470", // United Kingdom
	"+49900", "+49137", "+33899", "+3389", "+3906", "+34803", "+34806", "+34807", // Germany, France, Italy, Spain
	"+8616868", // China: audiotex
}

// Allows reports whether target may be dialled, and if not, why, in words. A
// target is a number, tel:NUMBER, or sip:USER@HOST. A user part that is a number
// counts as one when it is checked against the denied ranges, so that a trunk
// behind an allowed host cannot be misused.
func (o Outbound) Allows(target string) (ok bool, why string) {
	return o.allows(target, "outbound.allow")
}

// allows names the list that could permit it by its key.
func (o Outbound) allows(target, key string) (ok bool, why string) {
	number, host := splitTarget(target)
	if number == "" && host == "" {
		return false, "it is neither a number nor a sip: address"
	}
	if host != "" && coded(target) && !slices.Contains(o.Allow, strings.TrimSpace(target)) {
		return false, "its user part mixes digits with a dialling code; list the whole address in " + key + " to permit it"
	}
	if number != "" {
		for _, p := range append(premium[:], o.Deny...) {
			if strings.HasPrefix(international(number), international(p)) {
				return false, "its range is denied (" + p + ")"
			}
		}
	}
	for _, a := range o.Allow {
		if host != "" && a == strings.TrimSpace(target) {
			return true, ""
		}
		if allowedHost, isHost := strings.CutPrefix(a, "sip:"); isHost {
			if host != "" && (host == allowedHost || hostOnly(host) == allowedHost) {
				return true, ""
			}
		} else if host == "" && number != "" && strings.HasPrefix(international(number), international(a)) {
			return true, ""
		}
	}
	return false, key + " does not list it"
}

// Price is the price of a minute to number by the longest prefix; ok is false if
// no prefix fits: such a call cannot be accounted for and is refused where
// money_per_day is set.
func (o Outbound) Price(number string) (price float64, ok bool) {
	number, _ = splitTarget(number)
	longest := -1
	for prefix, p := range o.Prices {
		if strings.HasPrefix(international(number), international(prefix)) && len(prefix) > longest {
			price, ok, longest = p, true, len(prefix)
		}
	}
	return price, ok
}

// Number is the phone number that a call to target reaches, in one spelling, so that
// "tel:+86 10 5555-0100" and "tel:+861055550100" are one; "" if it reaches none. In a
// sip: address fewer than seven digits are an extension at a host that the operator
// listed, as a name is: not a number that a stranger can be disturbed at.
func Number(target string) string {
	number, host := splitTarget(target)
	if host != "" && len(strings.TrimPrefix(number, "+")) < 7 {
		return ""
	}
	return international(number)
}

// E164 is a phone number as people write it in its one spelling, +CODE and digits; one
// without a code is of the country. ok is false for what is no number.
func E164(number, country string) (e string, ok bool) {
	e = international(number)
	if e != "" && e[0] != '+' {
		e = country + strings.TrimPrefix(e, "0")
	}
	return e, e164.MatchString(e)
}

// coded: the user part of a sip: address dials * or # beside digits. A PBX may take
// such a code off and call what is left, whatever range that is in.
func coded(target string) bool {
	user := userPart(target)
	return strings.ContainsAny(user, "*#") && strings.ContainsAny(user, "0123456789")
}

// userPart is the user part of a sip: address as the host will read it.
func userPart(target string) string {
	rest, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(target), "sip:"), ";")
	rest, _, _ = strings.Cut(rest, "?")
	user, _, hasUser := strings.Cut(rest, "@")
	if !hasUser {
		return ""
	}
	user, _, _ = strings.Cut(user, ":") // a password
	if plain, err := url.PathUnescape(user); err == nil {
		user = plain
	}
	return user
}

// splitTarget gives the number in a target, if there is one, and the host of a
// sip: address.
func splitTarget(target string) (number, host string) {
	target = strings.TrimSpace(target)
	if rest, isSIP := strings.CutPrefix(target, "sip:"); isSIP {
		rest, _, _ = strings.Cut(rest, ";")
		rest, _, _ = strings.Cut(rest, "?")
		_, h, hasUser := strings.Cut(rest, "@")
		if !hasUser {
			return "", strings.ToLower(rest)
		}
		return plainNumber(userPart(target)), strings.ToLower(h)
	}
	target = strings.TrimPrefix(target, "tel:")
	target, _, _ = strings.Cut(target, ";")
	return plainNumber(target), ""
}

// plainNumber strips what people write between digits; "" if s is no number.
func plainNumber(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			b.WriteRune(r)
		case r == '-', r == ' ', r == '.', r == '(', r == ')':
		default:
			return ""
		}
	}
	if b.String() == "+" {
		return ""
	}
	return b.String()
}

// international turns the 00 that many countries dial for + into it.
func international(number string) string {
	number = plainNumber(number)
	if rest, ok := strings.CutPrefix(number, "00"); ok {
		return "+" + rest
	}
	return number
}

func hostOnly(hostport string) string {
	if i := strings.LastIndexByte(hostport, ':'); i >= 0 && !strings.HasSuffix(hostport, "]") {
		return hostport[:i]
	}
	return hostport
}
