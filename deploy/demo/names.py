"""Words that the synthetic data are put together from: common Danish names, and streets of towns that do not exist."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FORNAVNE = _words("""
    Alma Agnes Albert Alfred Anna Anton Arthur Asta August Aya Birk Bjørn Carl Clara Dagmar Ebbe Elias Ella Ellen
    Emil Emma Emilie Esther Felix Filippa Freja Frida Gry Gustav Hannah Hugo Ida Ingeborg Isak Jens Johan Josefine
    Karla Kåre Laura Laurits Lauge Lea Lily Liva Luna Lærke Mads Magne Malthe Marie Mathilde Mikkel Mille Molly
    Nanna Nora Oliver Olivia Oskar Otto Peter Rosa Saga Selma Sigrid Signe Storm Svend Sofie Søren Thea Theo Thit
    Tilde Tobias Torben Ulla Uffe Valdemar Vera Victor Viggo Vilma Villads William Yrsa Ziggy Ørjan Åse
""")

EFTERNAVNE = _words("""
    Agerskov Andersen Bach Bjerre Brandt Christensen Dahl Damgaard Eriksen Fisker Frandsen Gade Gram Hansen Holm
    Høgsbro Iversen Jensen Juul Kjær Kloster Krogh Larsen Lauritsen Lund Madsen Mikkelsen Munk Møller Nielsen
    Nørgaard Olesen Overgaard Pedersen Poulsen Rask Ravn Riis Schmidt Skov Smed Sørensen Thorsen Toft Vestergaard
    Winther Ørsted Østergaard Aagaard Åkjær
""")

VEJE = _words("""
    Algade Bagerstræde Bakkedraget Blåbærvænget Bygaden Digevej Engblommevej Gartnerstien Havnegade Højskolevej
    Jernbanegade Kildevang Kirkestien Lindealle Lærkevej Mejerivej Møllestien Nørretorv Parkvej Rosenhaven
    Skolegade Skovbrynet Solsikkevej Strandstien Søndergade Torvet Tværgade Vinkelvej Ærtevej Østervold
    Åboulevarden
""")

INSTITUTIONER = _words("""
    Abildgården Birkehuset Bulderby Elverhøj Fyrtårnet Galaxen Grævlingen Humlebien Hvepsereden Kastanjen
    Kernehuset Krudtuglen Kæmpehøj Lodsen Mariehønen Myretuen Møllehjulet Nordlyset Pilehytten Rumlepotten
    Regnbuen Skovtrolden Snurretoppen Solstrålen Spiloppen Stjernehuset Svalereden Troldehøj Tumlebo Valmuen
    Ællingen Østerled
""")

BEMAERKNINGER = (
    "Ønsker plads tæt på hjemmet",
    "Søskende i samme institution; se tidligere ansøgning",
    "Skiftende arbejdstider, gerne åbent fra kl. 06:15",
    'Familien skriver: "helst før sommerferien"',
    "Flytter til kommunen\nadresse følger",
    "Ønsker dagpleje, ikke vuggestue",
)
