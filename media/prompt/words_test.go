package prompt

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tandem"
)

func TestWordsEnglish(t *testing.T) {
	for _, x := range []struct {
		kind        tandem.PartKind
		value, want string
	}{
		{tandem.PartNumber, "0", "zero"},
		{tandem.PartNumber, "7", "seven"},
		{tandem.PartNumber, "10", "ten"},
		{tandem.PartNumber, "13", "thirteen"},
		{tandem.PartNumber, "20", "twenty"},
		{tandem.PartNumber, "42", "forty two"},
		{tandem.PartNumber, "100", "one hundred"},
		{tandem.PartNumber, "105", "one hundred five"},
		{tandem.PartNumber, "1000", "one thousand"},
		{tandem.PartNumber, "1001", "one thousand one"},
		{tandem.PartNumber, "1234", "one thousand two hundred thirty four"},
		{tandem.PartNumber, "20015", "twenty thousand fifteen"},
		{tandem.PartNumber, "1000000", "one million"},
		{tandem.PartNumber, "2000000003", "two billion three"},
		{tandem.PartNumber, "1000000000000", "one trillion"},
		{tandem.PartNumber, "999999999999", "nine hundred ninety nine billion nine hundred ninety nine million nine hundred ninety nine thousand nine hundred ninety nine"},
		{tandem.PartNumber, "-1234.5", "minus one thousand two hundred thirty four point five"},
		{tandem.PartNumber, "3.14", "three point one four"},
		{tandem.PartNumber, "0.05", "zero point zero five"},
		{tandem.PartNumber, "-0.0", "zero point zero"},
		{tandem.PartNumber, "007", "seven"},
		{tandem.PartMoney, "1234.50 CNY", "one thousand two hundred thirty four yuan and fifty fen"},
		{tandem.PartMoney, "1234 CNY", "one thousand two hundred thirty four yuan"},
		{tandem.PartMoney, "1.00 USD", "one dollar"},
		{tandem.PartMoney, "1.01 USD", "one dollar and one cent"},
		{tandem.PartMoney, "0.50 USD", "fifty cents"},
		{tandem.PartMoney, "0.00 USD", "zero dollars"},
		{tandem.PartMoney, "-42.00 USD", "minus forty two dollars"},
		{tandem.PartMoney, "-0.05 USD", "minus five cents"},
		{tandem.PartMoney, "2.5 EUR", "two euros and fifty cents"},
		{tandem.PartMoney, "1.01 GBP", "one pound and one penny"},
		{tandem.PartMoney, "3.20 GBP", "three pounds and twenty pence"},
		{tandem.PartMoney, "1 HKD", "one hong kong dollar"},
		{tandem.PartMoney, "500 JPY", "five hundred yen"},
		{tandem.PartDigits, "622848", "six two two eight four eight"},
		{tandem.PartDigits, "100-001 1", "one zero zero zero zero one one"},
		{tandem.PartDigits, "*0#", "star zero pound"},
		{tandem.PartDate, "2026-11-23", "november twenty third twenty twenty six"},
		{tandem.PartDate, "2000-01-01", "january first two thousand"},
		{tandem.PartDate, "2005-02-20", "february twentieth two thousand five"},
		{tandem.PartDate, "2010-03-30", "march thirtieth twenty ten"},
		{tandem.PartDate, "1900-12-31", "december thirty first nineteen hundred"},
		{tandem.PartDate, "1905-07-12", "july twelfth nineteen oh five"},
		{tandem.PartDate, "1999-08-22", "august twenty second nineteen ninety nine"},
		{tandem.PartTime, "15:04", "three oh four p m"},
		{tandem.PartTime, "09:30", "nine thirty a m"},
		{tandem.PartTime, "00:00", "midnight"},
		{tandem.PartTime, "12:00", "noon"},
		{tandem.PartTime, "00:15", "twelve fifteen a m"},
		{tandem.PartTime, "12:05", "twelve oh five p m"},
		{tandem.PartTime, "18:00", "six p m"},
	} {
		got, err := Words("en-GB", tandem.Part{Kind: x.kind, Value: x.value})
		if err != nil || strings.Join(got, " ") != x.want {
			t.Errorf("%s %q: got %q %v, want %q", x.kind, x.value, strings.Join(got, " "), err, x.want)
		}
	}
}

func TestWordsChinese(t *testing.T) {
	for _, x := range []struct {
		kind        tandem.PartKind
		value, want string
	}{
		{tandem.PartNumber, "0", "零"},
		{tandem.PartNumber, "2", "二"},
		{tandem.PartNumber, "10", "十"},
		{tandem.PartNumber, "12", "十二"},
		{tandem.PartNumber, "20", "二十"},
		{tandem.PartNumber, "22", "二十二"},
		{tandem.PartNumber, "100", "一百"},
		{tandem.PartNumber, "101", "一百零一"},
		{tandem.PartNumber, "110", "一百一十"},
		{tandem.PartNumber, "115", "一百一十五"},
		{tandem.PartNumber, "200", "二百"},
		{tandem.PartNumber, "222", "二百二十二"},
		{tandem.PartNumber, "1000", "一千"},
		{tandem.PartNumber, "1001", "一千零一"},
		{tandem.PartNumber, "1010", "一千零一十"},
		{tandem.PartNumber, "1100", "一千一百"},
		{tandem.PartNumber, "1234", "一千二百三十四"},
		{tandem.PartNumber, "2002", "两千零二"},
		{tandem.PartNumber, "10000", "一万"},
		{tandem.PartNumber, "10001", "一万零一"},
		{tandem.PartNumber, "10500", "一万零五百"},
		{tandem.PartNumber, "15000", "一万五千"},
		{tandem.PartNumber, "20000", "两万"},
		{tandem.PartNumber, "22000", "两万两千"},
		{tandem.PartNumber, "100000", "十万"},
		{tandem.PartNumber, "120000", "十二万"},
		{tandem.PartNumber, "105000", "十万五千"},
		{tandem.PartNumber, "1000000", "一百万"},
		{tandem.PartNumber, "10000000", "一千万"},
		{tandem.PartNumber, "100000000", "一亿"},
		{tandem.PartNumber, "100000005", "一亿零五"},
		{tandem.PartNumber, "100120000", "一亿零一十二万"},
		{tandem.PartNumber, "110000000", "一亿一千万"},
		{tandem.PartNumber, "200020000", "两亿零两万"},
		{tandem.PartNumber, "1000000000000", "一万亿"},
		{tandem.PartNumber, "1000000000001", "一万亿零一"},
		{tandem.PartNumber, "999999999999", "九千九百九十九亿九千九百九十九万九千九百九十九"},
		{tandem.PartNumber, "-1234.5", "负一千二百三十四点五"},
		{tandem.PartNumber, "-15", "负十五"},
		{tandem.PartNumber, "3.14", "三点一四"},
		{tandem.PartMoney, "1234.50 CNY", "一千二百三十四元五角"},
		{tandem.PartMoney, "1234.56 CNY", "一千二百三十四元五角六分"},
		{tandem.PartMoney, "10.05 CNY", "十元零五分"},
		{tandem.PartMoney, "0.05 CNY", "五分"},
		{tandem.PartMoney, "0.20 CNY", "两角"},
		{tandem.PartMoney, "0 CNY", "零元"},
		{tandem.PartMoney, "2.00 CNY", "两元"},
		{tandem.PartMoney, "12.00 CNY", "十二元"},
		{tandem.PartMoney, "-128.50 CNY", "负一百二十八元五角"},
		{tandem.PartMoney, "2 USD", "两美元"},
		{tandem.PartMoney, "12.50 USD", "十二点五美元"},
		{tandem.PartMoney, "-17.99 USD", "负十七点九九美元"},
		{tandem.PartMoney, "100 JPY", "一百日元"},
		{tandem.PartDigits, "100001", "一零零零零一"},
		{tandem.PartDigits, "*2#", "星二井"},
		{tandem.PartDate, "2026-11-23", "二零二六年十一月二十三日"},
		{tandem.PartDate, "2000-02-10", "二零零零年二月十日"},
		{tandem.PartTime, "15:04", "下午三点零四分"},
		{tandem.PartTime, "02:00", "凌晨两点"},
		{tandem.PartTime, "14:02", "下午两点零二分"},
		{tandem.PartTime, "12:30", "中午十二点三十分"},
		{tandem.PartTime, "00:00", "凌晨零点"},
		{tandem.PartTime, "22:10", "晚上十点十分"},
		{tandem.PartTime, "09:15", "上午九点十五分"},
	} {
		got, err := Words("zh-CN", tandem.Part{Kind: x.kind, Value: x.value})
		if err != nil || strings.Join(got, "") != x.want {
			t.Errorf("%s %q: got %q %v, want %q", x.kind, x.value, strings.Join(got, ""), err, x.want)
		}
	}
}

func TestWordsUnsaid(t *testing.T) {
	for _, lang := range []string{"en", "zh-CN"} {
		for _, p := range []tandem.Part{
			{Kind: tandem.PartNumber, Value: ""},
			{Kind: tandem.PartNumber, Value: "-"},
			{Kind: tandem.PartNumber, Value: "1."},
			{Kind: tandem.PartNumber, Value: ".5"},
			{Kind: tandem.PartNumber, Value: "1e5"},
			{Kind: tandem.PartNumber, Value: "--1"},
			{Kind: tandem.PartNumber, Value: "١٢"},
			{Kind: tandem.PartNumber, Value: "1000000000000000"},
			{Kind: tandem.PartMoney, Value: "12"},
			{Kind: tandem.PartMoney, Value: "12 XXX"},
			{Kind: tandem.PartMoney, Value: "12.345 USD"},
			{Kind: tandem.PartMoney, Value: "12.50 JPY"},
			{Kind: tandem.PartDigits, Value: "12x"},
			{Kind: tandem.PartDate, Value: "2026-02-30"},
			{Kind: tandem.PartDate, Value: "23.11.2026"},
			{Kind: tandem.PartTime, Value: "25:00"},
			{Kind: tandem.PartText, Value: "hello"},
		} {
			if got, err := Words(lang, p); !errors.Is(err, ErrUnsaid) {
				t.Errorf("%s %s %q: got %v %v, want %v", lang, p.Kind, p.Value, got, err, ErrUnsaid)
			}
		}
	}
	if _, err := Words("de", tandem.Part{Kind: tandem.PartNumber, Value: "1"}); !errors.Is(err, ErrUnsaid) {
		t.Errorf("a language without rules: %v", err)
	}
}

// What is joined must be in the list that is recorded.
func TestVocabularyIsComplete(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, lang := range []string{"en", "zh-CN"} {
		vocabulary := Vocabulary(lang)
		var parts []tandem.Part
		for range 3000 {
			n := strconv.FormatInt(r.Int64N(1_000_000_000_000)>>r.IntN(40), 10)
			parts = append(parts, tandem.Part{Kind: tandem.PartNumber, Value: "-" + n + ".0123456789"})
			for _, c := range []string{"CNY", "USD", "EUR", "GBP", "HKD"} {
				parts = append(parts, tandem.Part{Kind: tandem.PartMoney, Value: n + "." + strconv.Itoa(10+r.IntN(90)) + " " + c})
			}
		}
		parts = append(parts, tandem.Part{Kind: tandem.PartDigits, Value: "0123456789*#+ABCD"}, tandem.Part{Kind: tandem.PartMoney, Value: "1 JPY"})
		for _, c := range []string{"1.01 USD", "1.01 GBP", "1 EUR", "1 HKD", "2 JPY", "0.05 CNY"} {
			parts = append(parts, tandem.Part{Kind: tandem.PartMoney, Value: c})
		}
		for minute := range 24 * 60 {
			parts = append(parts, tandem.Part{Kind: tandem.PartTime, Value: clockText(minute)})
		}
		for day := 1; day <= 31; day++ {
			for _, year := range []string{"1900", "1905", "1999", "2000", "2026"} {
				parts = append(parts, tandem.Part{Kind: tandem.PartDate, Value: year + "-0" + strconv.Itoa(1+day%7/3*2) + "-" + twoDigits(day)})
			}
		}
		for month := 1; month <= 12; month++ {
			parts = append(parts, tandem.Part{Kind: tandem.PartDate, Value: "2026-" + twoDigits(month) + "-01"})
		}
		used := make(map[string]bool)
		for _, p := range parts {
			words, err := Words(lang, p)
			if err != nil {
				t.Fatalf("%s %s %q: %v", lang, p.Kind, p.Value, err)
			}
			for _, w := range words {
				used[w] = true
				if !slices.Contains(vocabulary, w) {
					t.Fatalf("%s: %q of %q is not in the vocabulary", lang, w, p.Value)
				}
			}
		}
		for _, w := range vocabulary {
			if !used[w] && w != "trillion" {
				t.Errorf("%s: %q is in the vocabulary but no rule says it", lang, w)
			}
		}
	}
	if Vocabulary("de") != nil {
		t.Error("German has a vocabulary but no rules")
	}
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

func clockText(minute int) string { return twoDigits(minute/60) + ":" + twoDigits(minute%60) }
