"""THE lifecycles (states.md). A move has its function's name; the platform's own moves have names of their own.

The rows drive the code, `allowedActions`, the README's diagrams and the property tests. Rows of later issues
(guild moderation) are added with the functions that perform them.
"""

from bloxtr8.domain.lifecycle import PARTIES, Lifecycle, Role
from bloxtr8.entities import (
    ChargebackStatus,
    ContractStatus,
    DeliveryStatus,
    DisputeStatus,
    EscrowStatus,
    LegStatus,
    ListingStatus,
    MilestoneStatus,
    OfferStatus,
    ProposalStatus,
    SettlementStatus,
    WebhookStatus,
)

_NEW: tuple[()] = ()
_OWNER, _BUYER, _SELLER, _SYSTEM = ({Role.OWNER}, {Role.BUYER}, {Role.SELLER}, {Role.SYSTEM})
_RESPONDER, _PROPOSER, _COMPLIANCE = {Role.RESPONDER}, {Role.PROPOSER}, {Role.COMPLIANCE}

_L = ListingStatus
LISTING = Lifecycle(
    "Listing", ListingStatus,
    # move                 from                      to                        by
    ("create_listing",     _NEW,                     {_L.ACTIVE, _L.INACTIVE}, _OWNER),
    ("activate_listing",   {_L.INACTIVE},            _L.ACTIVE,                _OWNER),
    ("deactivate_listing", {_L.ACTIVE},              _L.INACTIVE,              _OWNER),
    ("update_listing",     {_L.ACTIVE, _L.INACTIVE}, None,                     _OWNER),
    ("verify_listing",     {_L.ACTIVE, _L.INACTIVE, _L.RESERVED}, None,        {Role.OWNER, Role.SUPPORT, Role.SYSTEM}),
    ("cancel_listing",     {_L.ACTIVE, _L.INACTIVE}, _L.CANCELLED,             _OWNER),
    ("lose_asset",         {_L.ACTIVE, _L.INACTIVE}, _L.INACTIVE,              _SYSTEM),
    ("reserve",            {_L.ACTIVE},              _L.RESERVED,              _SYSTEM),  # part of accept_offer
    ("relist",             {_L.RESERVED},            {_L.ACTIVE, _L.REMOVED},  _SYSTEM),
    ("retire_listing",     {_L.RESERVED},            {_L.INACTIVE, _L.REMOVED}, _SYSTEM),
    ("sell_listing",       {_L.RESERVED},            _L.SOLD,                  _SYSTEM),
)  # fmt: skip

_O = OfferStatus
OFFER = Lifecycle(
    "Offer", OfferStatus,
    ("make_offer",        _NEW,          _O.PENDING,   _BUYER),
    ("counter_offer",     {_O.PENDING},  _O.COUNTERED, _RESPONDER),
    ("accept_offer",      {_O.PENDING},  _O.ACCEPTED,  _RESPONDER),
    ("decline_offer",     {_O.PENDING},  _O.DECLINED,  _RESPONDER),
    ("withdraw_offer",    {_O.PENDING},  _O.WITHDRAWN, _PROPOSER),
    ("expire_offer",      {_O.PENDING},  _O.EXPIRED,   _SYSTEM),
    ("close_stale_offer", {_O.PENDING},  _O.DECLINED,  _SYSTEM),
    ("cancel_offer",      {_O.ACCEPTED}, _O.CANCELLED, _SYSTEM),
)  # fmt: skip

_C = ContractStatus
_PENDING = {_C.PENDING_PDF, _C.PENDING_SIGNATURE}
CONTRACT = Lifecycle(
    "Contract", ContractStatus,
    ("accept_offer",       _NEW,                   _C.PENDING_PDF,       _SYSTEM),
    ("store_contract_pdf", {_C.PENDING_PDF},       _C.PENDING_SIGNATURE, _SYSTEM),
    ("sign_contract",      {_C.PENDING_SIGNATURE}, {_C.PENDING_SIGNATURE, _C.EXECUTED}, PARTIES),
    ("create_sign_link",   {_C.PENDING_SIGNATURE}, None,                 PARTIES),
    ("sign_by_link",       {_C.PENDING_SIGNATURE}, {_C.PENDING_SIGNATURE, _C.EXECUTED}, PARTIES),
    ("void_contract",      _PENDING,               _C.VOID,              PARTIES),
    ("expire_contract",    _PENDING,               _C.VOID,              _SYSTEM),
)  # fmt: skip

_E = EscrowStatus
_UNPAID, _PAID = {_E.AWAIT_FUNDS}, {_E.FUNDS_HELD, _E.DELIVERED, _E.DISPUTED}
ESCROW = Lifecycle(
    "Escrow", EscrowStatus,
    ("sign_contract",      _NEW,            _E.AWAIT_FUNDS, PARTIES),
    ("start_payment",      _UNPAID,         None,           _BUYER),
    ("record_deposit",     _UNPAID,         None,           _SYSTEM),
    ("return_money",       _UNPAID,         _E.CANCELLED,   _SYSTEM),
    ("return_late_money",  set(_E) - _UNPAID, None,         _SYSTEM),
    ("quarantine_deposit", set(_E),         None,           _SYSTEM),
    ("hold_funds",         _UNPAID,         _E.FUNDS_HELD,  _SYSTEM),
    ("cancel_escrow",      _UNPAID,         _E.CANCELLED,   PARTIES),
    ("extend_deadline",    {_E.AWAIT_FUNDS, _E.FUNDS_HELD, _E.DELIVERED}, None, PARTIES),
    ("cancel_unfunded",    _UNPAID,         _E.CANCELLED,   _SYSTEM),
    ("start_delivery",     {_E.FUNDS_HELD}, None,           _SELLER),
    # of a milestone of which more are to come, a delivery and its answer leave FUNDS_HELD as it is
    ("mark_delivered",     {_E.FUNDS_HELD}, {_E.FUNDS_HELD, _E.DELIVERED}, _SELLER),
    ("verify_delivery",    {_E.FUNDS_HELD}, None,           PARTIES),
    ("prove_delivery",     {_E.FUNDS_HELD}, {_E.FUNDS_HELD, _E.DELIVERED}, _SYSTEM),
    ("add_evidence",       {_E.AWAIT_FUNDS, *_PAID, _E.SETTLING}, None, {*PARTIES, Role.ARBITER}),
    ("refund_undelivered", {_E.FUNDS_HELD}, _E.SETTLING,    _SYSTEM),
    ("refund_escrow",      _PAID,           _E.SETTLING,    _SELLER),
    # from SETTLING only while a refused payout stands: `settlement_proposals`
    ("propose_settlement", {*_PAID, _E.SETTLING}, None,     PARTIES),
    ("accept_settlement",  {*_PAID, _E.SETTLING}, _E.SETTLING, PARTIES),
    ("reject_settlement",  {*_PAID, _E.SETTLING}, None,     PARTIES),
    ("withdraw_settlement", {*_PAID, _E.SETTLING}, None,    PARTIES),
    ("confirm_delivery",   {_E.DELIVERED},  _E.SETTLING,    _BUYER),
    ("confirm_delivery",   {_E.FUNDS_HELD}, {_E.FUNDS_HELD, _E.SETTLING}, _BUYER),
    ("auto_release",       {_E.DELIVERED},  _E.SETTLING,    _SYSTEM),
    ("auto_release",       {_E.FUNDS_HELD}, {_E.FUNDS_HELD, _E.SETTLING}, _SYSTEM),
    ("release_milestone",  {_E.DELIVERED},  _E.SETTLING,    _BUYER),
    ("release_milestone",  {_E.FUNDS_HELD}, {_E.FUNDS_HELD, _E.SETTLING}, _BUYER),
    ("resume_settlement",  set(_E),         None,           {Role.PADMIN}),
    ("announce_manual_payment", set(_E) - _UNPAID, None,    {Role.PADMIN}),
    ("record_manual_payment", set(_E) - _UNPAID, None,      {Role.PADMIN}),
    ("withdraw_manual_payment", set(_E) - _UNPAID, None,    {Role.PADMIN}),
    ("place_hold",         {_E.AWAIT_FUNDS, *_PAID, _E.SETTLING}, None, _SYSTEM),
    ("lift_hold",          set(_E),         None,           _SYSTEM),
    ("decide_hold",        _UNPAID,         {_E.AWAIT_FUNDS, _E.CANCELLED}, _COMPLIANCE),
    ("decide_hold",        {_E.FUNDS_HELD}, {_E.FUNDS_HELD, _E.SETTLING}, _COMPLIANCE),
    ("decide_hold",        {_E.DELIVERED},  {_E.DELIVERED, _E.SETTLING}, _COMPLIANCE),
    ("decide_hold",        {_E.DISPUTED},   {_E.DISPUTED, _E.SETTLING}, _COMPLIANCE),
    # from SETTLING only what is stopped before anything of it moved: `refused_payouts`
    ("decide_hold",        {_E.SETTLING},   _E.SETTLING,    _COMPLIANCE),
    ("decide_hold",        {_E.RELEASED, _E.REFUNDED, _E.SPLIT, _E.CANCELLED}, None, _COMPLIANCE),
    ("adopt_refund",       {*_PAID, _E.SETTLING}, _E.SETTLING, _SYSTEM),
    ("open_dispute",       {_E.FUNDS_HELD, _E.DELIVERED}, _E.DISPUTED, PARTIES),
    ("reject_delivery",    {_E.FUNDS_HELD, _E.DELIVERED}, _E.DISPUTED, _BUYER),  # of a part, or of all of it
    ("open_system_dispute", {_E.FUNDS_HELD, _E.DELIVERED}, _E.DISPUTED, _SYSTEM),
    ("withdraw_dispute",   {_E.DISPUTED},   {_E.FUNDS_HELD, _E.DELIVERED}, PARTIES),
    ("resolve_dispute",    {_E.DISPUTED},   _E.SETTLING,    {Role.ARBITER}),
    ("postpone_term",      {*_PAID, _E.SETTLING}, None,     _SYSTEM),
    # SPLIT where the seller has been paid his part of what both were to be paid
    ("record_reclaim",     {*_PAID, _E.SETTLING}, {_E.REFUNDED, _E.SPLIT}, _SYSTEM),
    ("record_chargeback",  set(_E),         None,           _SYSTEM),
    ("win_chargeback",     set(_E),         None,           _SYSTEM),
    ("reopen_chargeback",  set(_E),         None,           _SYSTEM),
    ("reinstate_chargeback", set(_E),       None,           _SYSTEM),
    # of a part the trade goes on where something was handed over; at an end there are only ledger lines
    ("lose_chargeback",    {_E.FUNDS_HELD}, {_E.FUNDS_HELD, _E.SETTLING, _E.REFUNDED}, _SYSTEM),
    ("lose_chargeback",    {_E.DELIVERED},  {_E.DELIVERED, _E.SETTLING, _E.REFUNDED}, _SYSTEM),
    ("lose_chargeback",    {_E.DISPUTED},   {_E.DISPUTED, _E.SETTLING, _E.REFUNDED}, _SYSTEM),
    ("lose_chargeback",    {_E.SETTLING},   {_E.SETTLING, _E.REFUNDED}, _SYSTEM),
    ("take_refund",        {_E.AWAIT_FUNDS, _E.RELEASED, _E.REFUNDED, _E.SPLIT, _E.CANCELLED}, None, _SYSTEM),
    ("take_refund",        {_E.FUNDS_HELD}, {_E.FUNDS_HELD, _E.SETTLING, _E.REFUNDED, _E.SPLIT}, _SYSTEM),
    ("take_refund",        {_E.DELIVERED},  {_E.DELIVERED, _E.SETTLING, _E.REFUNDED, _E.SPLIT}, _SYSTEM),
    ("take_refund",        {_E.DISPUTED},   {_E.DISPUTED, _E.SETTLING, _E.REFUNDED, _E.SPLIT}, _SYSTEM),
    ("take_refund",        {_E.SETTLING},   {_E.SETTLING, _E.REFUNDED, _E.SPLIT}, _SYSTEM),
    ("finish_settlement",  {_E.SETTLING},   {_E.RELEASED, _E.REFUNDED, _E.SPLIT}, _SYSTEM),
    ("finish_settlement",  _PAID,           None,           _SYSTEM),  # of a milestone before the last
)  # fmt: skip

_D = DeliveryStatus
DELIVERY = Lifecycle(
    "Delivery", DeliveryStatus,
    ("sign_contract",     _NEW,                         _D.PENDING,     PARTIES),
    ("start_delivery",    {_D.PENDING},                 _D.IN_PROGRESS, _SELLER),
    ("mark_delivered",    {_D.IN_PROGRESS},             _D.DELIVERED,   _SELLER),
    ("prove_delivery",    {_D.PENDING, _D.IN_PROGRESS}, _D.DELIVERED,   _SYSTEM),
    ("confirm_delivery",  {_D.DELIVERED},               _D.CONFIRMED,   _BUYER),
    ("auto_release",      {_D.DELIVERED},               _D.CONFIRMED,   _SYSTEM),
    ("reject_delivery",   {_D.DELIVERED},               _D.REJECTED,    _BUYER),
    ("withdraw_dispute",  {_D.REJECTED},                _D.PENDING,     _BUYER),
    ("release_milestone", {_D.PENDING, _D.IN_PROGRESS, _D.DELIVERED}, _D.CONFIRMED, _BUYER),
    ("cancel_delivery",   {_D.PENDING, _D.IN_PROGRESS, _D.DELIVERED, _D.REJECTED}, _D.CANCELLED, _SYSTEM),
)  # fmt: skip

_M = MilestoneStatus
_UNRELEASED = {_M.FUNDS_HELD, _M.DELIVERED}
MILESTONE = Lifecycle(
    "Milestone", MilestoneStatus,
    ("sign_contract",     _NEW,              _M.AWAIT_FUNDS, PARTIES),
    ("hold_funds",        {_M.AWAIT_FUNDS},  _M.FUNDS_HELD,  _SYSTEM),
    ("mark_delivered",    {_M.FUNDS_HELD},   _M.DELIVERED,   _SELLER),
    ("prove_delivery",    {_M.FUNDS_HELD},   _M.DELIVERED,   _SYSTEM),
    ("reject_delivery",   {_M.DELIVERED},    _M.FUNDS_HELD,  _BUYER),
    ("confirm_delivery",  {_M.DELIVERED},    _M.SETTLING,    _BUYER),
    ("auto_release",      {_M.DELIVERED},    _M.SETTLING,    _SYSTEM),
    ("release_milestone", _UNRELEASED,       _M.SETTLING,    _BUYER),
    ("finish_settlement", {_M.SETTLING},     _M.RELEASED,    _SYSTEM),
    # with the escrow: by what its end paid, or CANCELLED where it was divided otherwise or never paid
    ("end_milestone",     {_M.AWAIT_FUNDS},  _M.CANCELLED,   _SYSTEM),
    ("end_milestone",     {*_UNRELEASED, _M.SETTLING}, {_M.RELEASED, _M.REFUNDED, _M.CANCELLED}, _SYSTEM),
)  # fmt: skip

_S = SettlementStatus
SETTLEMENT = Lifecycle(
    "Settlement", SettlementStatus,
    ("plan_settlement",   _NEW,        _S.OPEN,   {*PARTIES, Role.SYSTEM}),
    ("park_settlement",   {_S.OPEN},   _S.PARKED, _SYSTEM),
    # DROPPED where on chain each side is paid apart from then on
    ("resume_settlement", {_S.PARKED}, {_S.OPEN, _S.DROPPED}, {Role.PADMIN}),
    ("record_manual_payment", _NEW,     _S.DONE,   {Role.PADMIN}),  # of what is set aside
    ("record_manual_payment", {_S.PARKED}, _S.OPEN, {Role.PADMIN}),
    ("lift_hold",         {_S.PARKED}, _S.OPEN,   _SYSTEM),
    ("finish_settlement", {_S.OPEN},   _S.DONE,   _SYSTEM),
    ("record_reclaim",    {_S.OPEN, _S.PARKED}, _S.DROPPED, _SYSTEM),
    ("lose_chargeback",   {_S.OPEN, _S.PARKED}, _S.DROPPED, _SYSTEM),
    ("reinstate_chargeback", {_S.OPEN, _S.PARKED}, _S.DROPPED, _SYSTEM),
    ("take_back_refund",  {_S.OPEN, _S.PARKED}, _S.DROPPED, _SYSTEM),
    # of a RECOVERY whose loss was made good while it was under way
    ("reject_leg",        {_S.OPEN},   _S.DROPPED, _SYSTEM),
    ("withdraw_manual_payment", {_S.PARKED}, _S.DROPPED, {Role.PADMIN}),
    ("adopt_refund",      {_S.OPEN, _S.PARKED}, _S.DROPPED, _SYSTEM),
    ("take_refund",       _NEW,        _S.DONE,   _SYSTEM),
    ("take_refund",       {_S.OPEN, _S.PARKED}, _S.DROPPED, _SYSTEM),
    # where nothing of it moved: `refused_payouts`
    ("accept_settlement", {_S.PARKED}, _S.DROPPED, PARTIES),
    ("refund_escrow",     {_S.PARKED}, _S.DROPPED, _SELLER),
    ("resolve_dispute",   {_S.PARKED}, _S.DROPPED, {Role.ARBITER}),
    ("decide_hold",       {_S.PARKED}, _S.DROPPED, _COMPLIANCE),
)  # fmt: skip

_R = ProposalStatus
PROPOSAL = Lifecycle(
    "SettlementProposal", ProposalStatus,
    ("propose_settlement",  _NEW,      _R.OPEN,      PARTIES),
    ("accept_settlement",   {_R.OPEN}, _R.ACCEPTED,  _RESPONDER),
    ("reject_settlement",   {_R.OPEN}, _R.REJECTED,  _RESPONDER),
    ("withdraw_settlement", {_R.OPEN}, _R.WITHDRAWN, _PROPOSER),
    ("expire_proposal",     {_R.OPEN}, _R.EXPIRED,   _SYSTEM),
)  # fmt: skip

_G = LegStatus
LEG = Lifecycle(
    "Leg", LegStatus,
    ("plan_settlement", _NEW,                        _G.PLANNED,   _SYSTEM),
    ("take_refund",     _NEW,                        _G.CONFIRMED, _SYSTEM),
    ("send_leg",        {_G.PLANNED},                _G.SENT,      _SYSTEM),
    ("lose_leg",        {_G.SENT},                   _G.UNKNOWN,   _SYSTEM),
    ("find_leg",        {_G.UNKNOWN},                _G.SENT,      _SYSTEM),
    ("confirm_leg",     {_G.SENT, _G.UNKNOWN},       _G.CONFIRMED, _SYSTEM),
    # what was refused for good is under way outside, by hand
    ("announce_manual_payment", {_G.REJECTED},       _G.SENT,      {Role.PADMIN}),
    ("withdraw_manual_payment", {_G.SENT},           _G.REJECTED,  {Role.PADMIN}),
    ("record_manual_payment", {_G.SENT},             _G.CONFIRMED, {Role.PADMIN}),
    ("record_manual_payment", _NEW,                  _G.CONFIRMED, {Role.PADMIN}),  # of what is set aside
    # before it is sent where a refund of it came back from the bank too often
    ("reject_leg",      {_G.PLANNED, _G.SENT, _G.UNKNOWN}, _G.REJECTED, _SYSTEM),
    ("retry_leg",       {_G.REJECTED, _G.SENT, _G.UNKNOWN}, _G.PLANNED, _SYSTEM),
)  # fmt: skip

_P = DisputeStatus
_LIVE = {_P.OPEN, _P.IN_REVIEW}
DISPUTE = Lifecycle(
    "Dispute", DisputeStatus,
    ("open_dispute",         _NEW,           _P.OPEN,      PARTIES),
    ("reject_delivery",      _NEW,           _P.OPEN,      _BUYER),
    ("open_system_dispute",  _NEW,           _P.OPEN,      _SYSTEM),
    ("post_dispute_message", {*_LIVE, _P.RESOLVED}, None,  {*PARTIES, Role.ARBITER}),
    ("assign_dispute",       {_P.OPEN},      _P.IN_REVIEW, {Role.ARBITER, Role.PADMIN}),
    ("assign_dispute",       {_P.IN_REVIEW}, _P.IN_REVIEW, {Role.PADMIN}),
    ("withdraw_dispute",     _LIVE,          _P.CLOSED,    PARTIES),
    ("resolve_dispute",      {_P.IN_REVIEW}, _P.RESOLVED,  {Role.ARBITER}),
    ("escalate_dispute",     _LIVE,          None,         _SYSTEM),
    ("refund_escrow",        _LIVE,          _P.CLOSED,    _SELLER),
    ("accept_settlement",    _LIVE,          _P.CLOSED,    PARTIES),
    ("adopt_refund",         {*_LIVE, _P.RESOLVED}, _P.CLOSED, _SYSTEM),
    ("decide_hold",          _LIVE,          _P.CLOSED,    _COMPLIANCE),
    ("record_reclaim",       {*_LIVE, _P.RESOLVED}, _P.CLOSED, _SYSTEM),
    ("finish_settlement",    {_P.RESOLVED},  _P.CLOSED,    _SYSTEM),
    ("lose_chargeback",      {*_LIVE, _P.RESOLVED}, _P.CLOSED, _SYSTEM),
    ("take_refund",          {*_LIVE, _P.RESOLVED}, _P.CLOSED, _SYSTEM),
)  # fmt: skip

_B = ChargebackStatus
CHARGEBACK = Lifecycle(
    "Chargeback", ChargebackStatus,
    ("record_chargeback", _NEW,      _B.OPEN, _SYSTEM),
    ("win_chargeback",    {_B.OPEN}, _B.WON,  _SYSTEM),
    ("lose_chargeback",   {_B.OPEN}, _B.LOST, _SYSTEM),
    ("reopen_chargeback", {_B.WON},  _B.OPEN, _SYSTEM),
    ("reinstate_chargeback", {_B.LOST}, _B.REINSTATED, _SYSTEM),
)  # fmt: skip

_W = WebhookStatus
WEBHOOK = Lifecycle(
    "WebhookEvent", WebhookStatus,
    ("receive_stripe_event",  _NEW,                       _W.RECEIVED,  _SYSTEM),
    ("receive_chain_event",   _NEW,                       _W.RECEIVED,  _SYSTEM),
    ("process_webhook_event", {_W.RECEIVED, _W.FAILED},   _W.PROCESSED, _SYSTEM),
    ("fail_webhook_event",    {_W.RECEIVED, _W.FAILED},   {_W.FAILED, _W.DEAD}, _SYSTEM),
)  # fmt: skip

LIFECYCLES = (
    LISTING, OFFER, CONTRACT, ESCROW, DELIVERY, MILESTONE, SETTLEMENT, PROPOSAL, LEG, DISPUTE, CHARGEBACK, WEBHOOK,
)  # fmt: skip
