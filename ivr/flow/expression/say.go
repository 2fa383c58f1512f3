package expression

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tandem"
)

// DefaultCurrency is the currency of amounts where neither the flow nor the
// operator's settings name one.
const DefaultCurrency = "CNY"

// written is a value as machines read it.
func written(t *Type, v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int:
		if t.Kind == Money {
			return strconv.Itoa(v) + ".00", nil
		}
		return strconv.Itoa(v), nil
	case Number:
		if t.Kind == Money && v.scale < 2 {
			return v.Fixed(2), nil
		}
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		return v.Format(time.RFC3339), nil
	case time.Duration:
		return strconv.FormatInt(int64(v/time.Second), 10) + "s", nil
	}
	return "", fmt.Errorf("%s cannot be put into a text", describe(v))
}

// part is a value as people read and hear it.
func (p *Program) part(v any, vars map[string]any, lang string) (tandem.Part, error) {
	plain, err := written(p.node.t, v)
	if err != nil {
		return tandem.Part{}, err
	}
	kind := p.node.t.Kind
	if kind == Any { // a value nobody declared is said as what it turns out to be
		kind = Infer(v).Kind
	}
	switch kind {
	case Money:
		n, err := number(v)
		if err != nil {
			return tandem.Part{}, err
		}
		code, err := p.currencyOf(vars)
		if err != nil {
			return tandem.Part{}, err
		}
		places := currencyPlaces(code)
		return tandem.Part{Kind: tandem.PartMoney, Text: moneyText(n.Fixed(places), code, lang), Value: n.Fixed(places) + " " + code}, nil
	case Int, Decimal:
		return tandem.Part{Kind: tandem.PartNumber, Text: plain, Value: plain}, nil
	case Digits, Phone:
		return tandem.Part{Kind: tandem.PartDigits, Text: plain, Value: strings.TrimPrefix(plain, "+")}, nil
	case Date:
		if d, err := time.Parse(time.DateOnly, plain); err == nil {
			return tandem.Part{Kind: tandem.PartDate, Text: dateText(d, lang), Value: plain}, nil
		}
	case Time:
		if d, err := time.Parse("15:04", plain); err == nil {
			return tandem.Part{Kind: tandem.PartTime, Text: timeText(d, lang), Value: plain}, nil
		}
	case DateTime:
		if at, ok := v.(time.Time); ok {
			return tandem.Part{Kind: tandem.PartText, Text: dateText(at, lang) + " " + timeText(at, lang)}, nil
		}
	}
	if d, ok := v.(time.Duration); ok {
		return tandem.Part{Kind: tandem.PartText, Text: durationText(d, lang)}, nil
	}
	if shown := strings.TrimLeft(plain, "•"); p.node.masked && shown != "" && strings.Trim(shown, "0123456789") == "" {
		return tandem.Part{Kind: tandem.PartDigits, Text: plain, Value: shown}, nil
	}
	return tandem.Part{Kind: tandem.PartText, Text: plain}, nil
}

func (p *Program) currencyOf(vars map[string]any) (string, error) {
	if p.node.currency == nil {
		if s, ok := vars["currency"].(string); ok && isCurrency(s) {
			return s, nil
		}
		return DefaultCurrency, nil
	}
	v, err := p.node.currency(&frame{vars: vars, fuel: maxFuel})
	if err != nil {
		return "", err
	}
	s, _ := v.(string)
	if !isCurrency(s) {
		return "", fmt.Errorf("the currency of money(x, currency) is not three capital letters")
	}
	return s, nil
}

// currencyPlaces is how many digits ISO 4217 gives a currency after the point.
func currencyPlaces(code string) int {
	switch code {
	case "JPY", "KRW", "VND", "CLP", "ISK":
		return 0
	case "BHD", "KWD", "OMR", "JOD", "TND":
		return 3
	}
	return 2
}

func chinese(lang string) bool { return lang == "zh" || strings.HasPrefix(lang, "zh-") }

// moneyText writes an amount: "1,234.50 yuan", "1234.50元".
func moneyText(amount, code, lang string) string {
	if chinese(lang) {
		return amount + currencyName(code, "元", "美元", "欧元", "英镑", "港元", "日元")
	}
	return grouped(amount) + " " + currencyName(code, "yuan", "US dollars", "euros", "pounds", "Hong Kong dollars", "yen")
}

func currencyName(code, cny, usd, eur, gbp, hkd, jpy string) string {
	switch code {
	case "CNY":
		return cny
	case "USD":
		return usd
	case "EUR":
		return eur
	case "GBP":
		return gbp
	case "HKD":
		return hkd
	case "JPY":
		return jpy
	}
	return code
}

// grouped puts a comma between thousands.
func grouped(amount string) string {
	sign := ""
	if strings.HasPrefix(amount, "-") {
		sign, amount = "-", amount[1:]
	}
	whole, fraction, point := strings.Cut(amount, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	return sign + whole
}

// dateText writes a date: "23 November 2026", "2026年11月23日".
func dateText(d time.Time, lang string) string {
	if chinese(lang) {
		return d.Format("2006年1月2日")
	}
	return d.Format("2 January 2006")
}

// timeText writes a time of day: "15:04", "15点04分".
func timeText(d time.Time, lang string) string {
	if chinese(lang) {
		return d.Format("15点04分")
	}
	return d.Format("15:04")
}

// durationText writes how long something takes, as people say it: seconds below a minute,
// then minutes, the last one begun counted: "8 minutes", "1小时20分钟".
func durationText(d time.Duration, lang string) string {
	units := [3]string{"hour", "minute", "second"}
	if chinese(lang) {
		units = [3]string{"小时", "分钟", "秒"}
	}
	counts := [3]int64{2: int64((d + time.Second - 1) / time.Second)}
	if d > time.Minute {
		minutes := int64((d + time.Minute - 1) / time.Minute)
		counts = [3]int64{minutes / 60, minutes % 60, 0}
	}
	var out []string
	for i, n := range counts {
		if n <= 0 && (i < len(counts)-1 || len(out) > 0) {
			continue
		}
		unit := units[i]
		if !chinese(lang) {
			if unit = " " + unit; n != 1 {
				unit += "s"
			}
		}
		out = append(out, strconv.FormatInt(max(n, 0), 10)+unit)
	}
	if chinese(lang) {
		return strings.Join(out, "")
	}
	return strings.Join(out, " ")
}
