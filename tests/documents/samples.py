"""Terms a test starts from, as they are frozen at accept, and what people write in them."""

import copy
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from bloxtr8.addresses import escrow_key

_TERMS: dict[str, Any] = {
    "contractId": "con_01JD3X9Z7QAAAAAAAAAAAAAAAA",
    "escrowId": "esc_01JD3X9Z7QAAAAAAAAAAAAAAAA",
    "offerId": "off_01JD3X8Y6PAAAAAAAAAAAAAAAA-02",
    "listingId": "lst_01JD3X7W5NAAAAAAAAAAAAAAAA",
    "acceptedAt": "2026-11-23T12:00:00.000001Z",
    "signBy": "2026-11-26T12:00:00.000001Z",
    "title": "Sunset Builders, a building group",
    "summary": "Active since 2019. Comes with its three games.",
    "category": "Building",
    "buyer": {
        "userId": "usr_01JD3X000000000000000000AA",
        "discordId": "287654321098765432",
        "username": "nora.builds",
        "robloxId": "1893244512",
        "robloxUsername": "NoraBuilds",
    },
    "seller": {
        "userId": "usr_01JD3X000000000000000000BB",
        "discordId": "187654321098765432",
        "username": "sunset_owner",
        "robloxId": "733129114",
        "robloxUsername": "SunsetOwner",
        "payoutAccountId": "acct_1QxYzAbCdEfGhIjK",
    },
    "asset": {
        "type": "GROUP",
        "id": "5512873",
        "name": "Sunset Builders Group",
        "snapshot": {
            "id": "snp_01JD3X9Z7QAAAAAAAAAAAAAAAA",
            "at": "2026-11-23T11:59:58.120000Z",
            "ownerId": "733129114",
            "ownerName": "SunsetOwner",
            "memberCount": 48211,
            "locked": False,
            "source": "groups.roblox.com",
        },
    },
    "amount": 850_000,
    "currency": "USD",
    "rail": "STRIPE",
    "buyerFeeBps": 100,
    "sellerFeeBps": 290,
    "buyerFee": 8_500,
    "gross": 858_500,
    "sellerFee": 24_650,
    "sellerReceives": 825_350,
    "conditions": "The seller stays in the group for two weeks.",
    "milestones": [],
    "windows": {
        "signSeconds": 259_200,
        "fundSeconds": 172_800,
        "deliverSeconds": 604_800,
        "inspectSeconds": 432_000,
    },
}

# One sentence a script: what must be readable, and the face that shows it.
SCRIPTS = {
    "latin": ("The seller stays two weeks: Größe, façade, Łódź, Người bán.", "NotoSans-Regular"),
    "greek": ("Ο πωλητής παραμένει", "NotoSans-Regular"),
    "cyrillic": ("Продавец остаётся в группе, їжак", "NotoSans-Regular"),
    "arabic": ("يبقى البائع في المجموعة لمدة أسبوعين", "NotoSansArabic-Regular"),
    "persian": ("فروشنده دو هفته می‌ماند، گپ چه", "NotoSansArabic-Regular"),
    "hebrew": ("המוכר נשאר בקבוצה שבועיים", "NotoSansHebrew-Regular"),
    "devanagari": ("विक्रेता दो सप्ताह तक समूह में रहेगा", "NotoSans-Regular"),
    "bengali": ("বিক্রেতা দুই সপ্তাহ গ্রুপে থাকবেন", "NotoSansBengali-Regular"),
    "tamil": ("விற்பனையாளர் குழுவில் இருப்பார்", "NotoSansTamil-Regular"),
    "thai": ("ผู้ขายจะอยู่ในกลุ่มต่อไปอีกสองสัปดาห์", "NotoSansThai-Regular"),
    "chinese": ("卖方在小组中再留两周，賣方將在群組中多留兩週", "NotoSansSC-Regular"),
    "japanese": ("売り手は二週間グループに残ります。", "NotoSansSC-Regular"),
    "korean": ("판매자는 그룹에 남아", "NotoSansKR-Regular"),
    "emoji": ("😀🎉👩‍👩‍👧🇩🇪1️⃣❤️👍🏽🏴󠁧󠁢󠁥󠁮󠁧󠁿✅", "NotoEmoji-Regular"),
    "styled": ("𝓕𝓪𝓷𝓬𝔂𝕹𝖆𝖒𝖊", "NotoSansMath-Regular"),
}


def terms(**changes: Any) -> dict[str, Any]:
    """Terms of a card sale; changes replace whole fields."""
    return copy.deepcopy(_TERMS) | changes


_VAULT: dict[str, Any] = {
    "chainId": 84_532,
    "escrowContract": "0x5fbdb2315678afecb367f032d93f642f64180aa3",
    "escrowId": escrow_key("esc_01JD3X9Z7QAAAAAAAAAAAAAAAA"),
    "token": "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
    "buyer": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "seller": "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
    "feeReceiver": "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
    "amount": 20_200_000_000,
    "reclaimAfter": 1_807_401_600,
    "maxFeeBps": 390,
}


def vault(**changes: Any) -> dict[str, Any]:
    """A vault's terms, as they are frozen at accept."""
    return copy.deepcopy(_VAULT) | changes


def usdc_terms(**changes: Any) -> dict[str, Any]:
    """Terms of a sale in USDC, 1 % and 2.90 % of USDC 20,000.00; changes replace whole fields."""
    agreed = terms(
        currency="USDC",
        rail="USDC_BASE",
        amount=2_000_000,
        buyerFee=20_000,
        gross=2_020_000,
        sellerFee=58_000,
        sellerReceives=1_942_000,
        vault=vault(),
    )
    del agreed["seller"]["payoutAccountId"]
    return agreed | changes


def with_party(side: str, **changes: Any) -> dict[str, Any]:
    """Terms with some of a side's fields replaced."""
    found = terms()
    found[side] |= changes
    return found


def page_texts(pdf: bytes) -> list[str]:
    """What a reader can copy from each page."""
    return [page.extract_text() for page in PdfReader(BytesIO(pdf), strict=True).pages]


def text_of(pdf: bytes) -> str:
    """What a reader can copy from the document, with single spaces."""
    return " ".join(" ".join(page_texts(pdf)).split())
