# Written with tokenizers 0.23.3 on Python 3.11. Run: python make_golden.py [FOLDER WITH GPT-2's tokenizer.json]
#
# Trains a small tokenizer of each kind with the package on made-up text and writes, beside this file, strings.json
# (the texts) and KIND.json: the tokenizer, and what the package makes of the texts. Ids and offsets are written as
# characters, U+0100 + number, one text a string. With a folder, gpt2-ids.json holds the real vocabulary's ids.
import json
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
WITH_OFFSETS = 400

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
DEEPSEEK = r"\s?[\p{P}\p{S}]++|\p{N}{1,2}+|[一-龥ぁ-ヿ]{2}|\s?\p{L}+|\s{2,}?" .replace("{1,2}+", "").replace("{2,}?", "+")

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "àéîõüßñçøåžščřőű", "αβγδεζηθικλμνξοπρστυφχψωάέ",
    "абвгдежзийклмнопрстуфхцчшщъыьэюяё", "אבגדהוזחטיכלמנסעפצקרשת", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "अआइईकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह", "กขคงจฉชซญดตถทนบปผพฟมยรลวสหอ", "একখগচছজটডতথদনপফবমযর",
    "あいうえおかきくけこさしすせそたちつてとアイウエオカキクケコ", "的一是不了人我在有他这中大来上国漢字龍鬱", "가나다라마바사아자차카타파하한국어글",
    "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ", "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ", "ሀለሐመሠረሰሸቀበተቸኀነኘአከኸወዐዘዠየደጀገጠጨጰጸፀፈፐ",
    "ꙮꙁѣѧѫѭѳѵ", "𝔸𝔹ℂ𝒜ℬ𝐚𝐛𝟘𝟙", "𐐀𐐁𐐨𐐩𐌰𐌱𐍂", "ᚠᚢᚦᚨᚱᚲ", "ᏣᎳᎩꭰꭱ", "ǅǈǲ", "ʰʲˠªº",
]
MARKS = "\u0300\u0301\u0302\u0303\u0308\u030a\u0323\u0327\u0328\u0345\u05b0\u05bc\u064b\u0651\u093e\u094d\u0e31\u0e34\u3099\u309a\u20dd\u1ab0"
NUMBERS = "0123456789٠١٢٣४५६๐๑²³¹¼½¾①②㊿Ⅳⅷↂ〇〡㉑௰፩𐄇𝟗〸৴"
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\n\n", " \n ", "\u00a0", "\u3000", "\u2003", "\u2028", "\u0085", "\u200b", "\u1680", "\x0b", "\x0c", "\ufeff"]
SIGNS = list(".,;:!?'\"()[]{}<>@#$%^&*-_=+/\\|`~") + list("…—–“”‘’«»¿¡、。「」・€£¥±×÷≠∞√∑←→♠♥★©®™§¶†‡°¤¨´¸¬⸮܀۔։־״|▁Ġ")
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "❤️", "☎️", "1️⃣", "🤦🏼‍♂️", "🫠", "🕴", "👨🏿‍🚀"]
CONTROLS = ["\x00", "\x01", "\x07", "\x08", "\x1b", "\x7f", "\x80", "\x9f", "\u200d", "\u200c", "\u202e", "\u2060", "\ufffd", "\ufffe", "\U000e0041", "\ue000", "\U0010ffff", "\ud7ff", "\ufdd0", "\U0001fffe", "\u0378"]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'LL", "'D", "'ſ", "’s", "''s", "'sa", "'r", "'l", "'v"]
SPECIAL = ["<s>", "</s>", "<unk>", "<|begin|>", "<|end|>", "<pad>", "<|tool|>", "word", "<0x0A>", "<0xZZ>", "▁", "##", "<|x", "<<s>>"]
COMPAT = list("ﬁﬃﬆŉǆ①㎞㌔ｱﾞＡ１％Ω℃ﷺ﷽ſẛ̣ﾡ가각각ÅÅḍ̇ş́ΐΰ𝅗𝅥⑴㈱¨´ﹰ") + ["q\u0307\u0323", "\u0344", "\u0958", "\u2126", "\u1e9b\u0323", "a\u0315\u0300\u05ae\u0062", "\u09c7\u09be", "\u0b47\u0b3e", "\u1100\u1161\u11a8\u11a9", "İI\u0307ıßẞΣς", "\u0149"]
WORDS = "the of and to in is was he for it with as his on be at by had not are but from or have an they which one you were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three".split()


def word(rng):
    kind = rng.random()
    if kind < 0.35:
        text = rng.choice(WORDS)
        return rng.choice([text, text, text.capitalize(), text.upper()])
    alphabet = rng.choice(ALPHABETS)
    letters = [rng.choice(alphabet) for _ in range(rng.randint(1, 7))]
    if rng.random() < 0.25:
        letters.insert(rng.randint(0, len(letters)), rng.choice(MARKS))
    return "".join(letters)


def part(rng):
    kind = rng.random()
    if kind < 0.42:
        return word(rng)
    if kind < 0.50:
        return "".join(rng.choice(NUMBERS) for _ in range(rng.randint(1, 6)))
    if kind < 0.56:
        return str(rng.randint(0, 10 ** rng.randint(1, 7)))
    if kind < 0.66:
        return "".join(rng.choice(SIGNS) for _ in range(rng.randint(1, 3)))
    if kind < 0.71:
        return rng.choice(EMOJI)
    if kind < 0.76:
        return rng.choice(CONTROLS)
    if kind < 0.84:
        return word(rng) + rng.choice(CONTRACTIONS)
    if kind < 0.90:
        return rng.choice(SPECIAL)
    if kind < 0.96:
        return rng.choice(COMPAT)
    code = rng.randrange(0x110000)
    return chr(code) if not 0xD800 <= code < 0xE000 else "\x00"


def text(rng):
    result = []
    for _ in range(rng.randint(1, 6)):
        result.append(part(rng))
        gap = rng.random()
        if gap < 0.55:
            result.append(" ")
        elif gap < 0.8:
            result.extend(rng.choice(SPACES) for _ in range(rng.randint(1, 3)))
    if rng.random() < 0.1:
        result.insert(0, rng.choice(SPACES))
    return "".join(result)


rng = random.Random(20240501)
strings = ["", " ", "  ", "\n", "\x00", "a", "Hello, my dog is cute", "I'll've don't WE'RE", "   leading", "trailing   ",
           "tabs\t\tand\n\n\nlines\r\n\r\n", "x" * 70, " " * 40, "ab" * 40, "\u0301", "▁▁a ▁", "a<s>b <s> c</s>", " <|tool|> "]
strings += ["".join(chr(c) for c in range(start, start + 24)) for start in range(0, 0x3000, 0x18)][:220]
while len(strings) < 2800:
    strings.append(text(rng))
corpus_rng = random.Random(7)
corpus = [" ".join(word(corpus_rng) for _ in range(12)) + corpus_rng.choice([".", "!", ", he said\n", "\n\n"]) for _ in range(4000)]


def number(value):
    return chr(0x100 + value)


def write(name, value):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as out:
        json.dump(value, out, ensure_ascii=False, separators=(",", ":"))
        out.write("\n")


def record(kind, tokenizer):
    # Read again from its own text: what the file says is what counts.
    tokenizer = Tokenizer.from_str(tokenizer.to_str())
    encodings = [tokenizer.encode(s) for s in strings]
    pick = random.Random(kind)
    size = tokenizer.get_vocab_size()
    noise = [[pick.randrange(size) for _ in range(pick.randint(1, 12))] for _ in range(200)]
    write(kind + ".json", {
        "ids": ["".join(map(number, e.ids)) for e in encodings],
        "bare": ["".join(map(number, tokenizer.encode(s, add_special_tokens=False).ids)) for s in strings[:WITH_OFFSETS]],
        "offsets": ["".join(number(a) + number(b) for a, b in e.offsets) for e in encodings[-WITH_OFFSETS:]],
        "decoded": [tokenizer.decode(e.ids, skip_special_tokens=False) for e in encodings[-WITH_OFFSETS:]],
        "noise": ["".join(map(number, ids)) for ids in noise],
        "noiseText": [tokenizer.decode(ids, skip_special_tokens=True) for ids in noise],
        "tokenizer": json.loads(tokenizer.to_str()),
    })


def byte_level(pre, vocab=700, normalizer=None, post=None, special=(), ignore=False, prefix=False):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre
    if normalizer:
        t.normalizer = normalizer
    t.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=vocab, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    if ignore:
        t.model.ignore_merges = True
    t.decoder = decoders.ByteLevel()
    t.add_tokens([s for s in special if not s.special])
    t.add_special_tokens([s for s in special if s.special])
    if post:
        t.post_processor = post(t)
    return t


def sentence_piece(normalizer, pre, decoder, vocab=900, template=True, fuse=True):
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=fuse))
    t.normalizer = normalizer
    # Trained on single words, so that merges do not run over whole lines.
    t.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always")
    t.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=vocab, limit_alphabet=150, show_progress=False,
        special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]))
    state = json.loads(t.to_str())
    # Byte tokens are ordinary tokens; only the first three are special.
    state["added_tokens"] = state["added_tokens"][:3]
    t = Tokenizer.from_str(json.dumps(state))
    if pre:
        t.pre_tokenizer = pre
    else:
        state = json.loads(t.to_str())
        state["pre_tokenizer"] = None
        t = Tokenizer.from_str(json.dumps(state))
    t.decoder = decoder
    if template:
        t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return t


def bos(t):
    return processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin|> $A", pair="<|begin|> $A <|begin|> $B", special_tokens=[("<|begin|>", t.token_to_id("<|begin|>"))])])


def special(content, **options):
    return AddedToken(content, special=True, **options)


ends = [special("<|begin|>", normalized=False), special("<|end|>", normalized=False)]
write("strings.json", strings)
record("gpt2-like", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), special=[special("<|end|>", normalized=True)],
    post=lambda t: processors.ByteLevel(trim_offsets=False)))
record("gpt2-prefix-trim", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), vocab=400,
    post=lambda t: processors.ByteLevel(trim_offsets=True)))
record("llama3-like", byte_level(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), special=ends, post=bos, ignore=True))
record("qwen2-like", byte_level(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"),
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), normalizer=normalizers.NFC(), special=ends))
record("neox-like", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), normalizer=normalizers.NFC(),
    special=[AddedToken(" " * n, normalized=True) for n in range(2, 8)] + [special("<pad>", normalized=False)]))
record("split-kinds", byte_level(pre_tokenizers.Sequence([
    pre_tokenizers.Split(Regex(DEEPSEEK), "isolated"), pre_tokenizers.Digits(individual_digits=True),
    pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.Split("e", "merged_with_next"),
    pre_tokenizers.Split(Regex(r"[\r\n]+"), "removed"),
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), vocab=500))
record("llama-like", sentence_piece(
    normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None,
    decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])))
record("mistral-like", sentence_piece(normalizers.Sequence([]), pre_tokenizers.Metaspace("▁", "first", split=False),
    decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])))
record("metaspace-split", sentence_piece(normalizers.Strip(True, True), pre_tokenizers.Metaspace("▁", "always", split=True),
    decoders.Metaspace("▁", "always"), template=False, fuse=False))
record("gemma-like", sentence_piece(normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous"),
    decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])))


def word_level(pre, normalizer=None, lower=False, vocab=600):
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.pre_tokenizer = pre
    if normalizer:
        t.normalizer = normalizer
    t.train_from_iterator(corpus, trainers.WordLevelTrainer(vocab_size=vocab, special_tokens=["<unk>", "<s>"], show_progress=False))
    return t


record("words", word_level(pre_tokenizers.Whitespace()))
record("words-blanks", word_level(pre_tokenizers.WhitespaceSplit(),
    normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])))

# Added tokens with every option, after a normaliser; unknown characters without bytes to fall back to.
t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=False, continuing_subword_prefix="##", end_of_word_suffix="</w>"))
t.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.NFKC()])
t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits()])
t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=900, limit_alphabet=120, special_tokens=["<unk>"],
    continuing_subword_prefix="##", end_of_word_suffix="</w>", show_progress=False))
t.add_tokens([AddedToken("word", single_word=True), AddedToken("<|tool|>", lstrip=True, rstrip=True), AddedToken("<PAD>", normalized=True),
    AddedToken("'S", normalized=True), AddedToken("<s>", normalized=False, lstrip=True), AddedToken("</s>", rstrip=True), AddedToken("the", single_word=True, normalized=False)])
t.add_special_tokens([special("<|end|>"), special("<|x", single_word=True)])
t.post_processor = processors.TemplateProcessing(single="<|end|> $A <|end|>:1 <s>", special_tokens=[("<|end|>", t.token_to_id("<|end|>")), ("<s>", t.token_to_id("<s>"))])
record("added-tokens", t)



def unigram(normalizer, pre, decoder, post=None, fallback=False, vocab=500):
    t = Tokenizer(models.Unigram())
    t.pre_tokenizer = pre
    if normalizer:
        t.normalizer = normalizer
    t.decoder = decoder
    bytes_ = [f"<0x{b:02X}>" for b in range(256)] if fallback else []
    t.train_from_iterator(corpus, trainers.UnigramTrainer(
        vocab_size=vocab + len(bytes_), unk_token="<unk>", special_tokens=["<s>", "<unk>", "</s>"] + bytes_, show_progress=False))
    state = json.loads(t.to_str())
    state["added_tokens"] = [a for a in state["added_tokens"] if a["content"] in ("<s>", "<unk>", "</s>")]
    state["model"]["byte_fallback"] = fallback
    t = Tokenizer.from_str(json.dumps(state))
    if post:
        t.post_processor = post(t)
    return t


def charsmap():
    """The character map that SentencePiece compiles for its rule nmt_nfkc_cf, from a model trained on a few words."""
    import io

    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus[:400]), model_writer=model, vocab_size=60, model_type="char",
        normalization_rule_name="nmt_nfkc", hard_vocab_limit=False, minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


record("unigram-t5-like", unigram(None, pre_tokenizers.Metaspace("▁", "always"), decoders.Metaspace("▁", "always"),
    post=lambda t: processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", t.token_to_id("</s>"))])))
record("unigram-bytes", unigram(normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]),
    pre_tokenizers.Metaspace("▁", "first", split=False), decoders.Metaspace("▁", "first"), fallback=True))
record("unigram-charsmap", unigram(normalizers.Precompiled(charsmap()),
    pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "always")]),
    decoders.Metaspace("▁", "always"), vocab=1200))


def word_piece(lower, strip=None, vocab=500):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    t.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=strip)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(cleanup=lower)
    t.train_from_iterator(corpus, trainers.WordPieceTrainer(
        vocab_size=vocab, limit_alphabet=120, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return t


record("bert-uncased-like", word_piece(True))
record("bert-cased-like", word_piece(False))
roberta = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), vocab=400, special=[
    special("<s>", normalized=True), special("</s>", normalized=True), special("<mask>", lstrip=True, normalized=False)])
roberta.post_processor = processors.RobertaProcessing(
    ("</s>", roberta.token_to_id("</s>")), ("<s>", roberta.token_to_id("<s>")), add_prefix_space=False)
record("roberta-like", roberta)

# The forms of Unicode normalisation, as the package has them.
forms = {name: [n.normalize_str(s) for s in strings[-1200:]] for name, n in [("NFC", normalizers.NFC()), ("NFD", normalizers.NFD()),
    ("NFKC", normalizers.NFKC()), ("NFKD", normalizers.NFKD())]}
write("forms.json", forms)

if len(sys.argv) > 1:
    t = Tokenizer.from_file(os.path.join(sys.argv[1], "tokenizer.json"))
    write("gpt2-ids.json", ["".join(map(number, t.encode(s).ids)) for s in strings])
