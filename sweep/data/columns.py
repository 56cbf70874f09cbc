"""The columns of the HIGGS file, in file order. The label stands before them.

Source: P. Baldi, P. Sadowski, D. Whiteson, "Searching for exotic particles in high-energy
physics with deep learning", Nature Communications 5, 4308 (2014); UCI data set 280.
"""

LABEL = "label"

LOW_LEVEL_FEATURES = (
    "lepton_pT",
    "lepton_eta",
    "lepton_phi",
    "missing_energy_magnitude",
    "missing_energy_phi",
    *(f"jet_{jet}_{what}" for jet in (1, 2, 3, 4) for what in ("pt", "eta", "phi", "b-tag")),
)
"""21 quantities a detector measures."""

HIGH_LEVEL_FEATURES = ("m_jj", "m_jjj", "m_lv", "m_jlv", "m_bb", "m_wbb", "m_wwbb")
"""7 masses a physicist derives from the low-level features."""

FEATURES = LOW_LEVEL_FEATURES + HIGH_LEVEL_FEATURES
N_FEATURES = len(FEATURES)
