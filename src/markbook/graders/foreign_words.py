"""Words by which a language is told, without accents where English letters are typed instead."""

from __future__ import annotations

__all__ = ["ENGLISH", "FOREIGN", "FOREIGN_OR_NOT", "ROMANISED", "TERMS"]

# What joins words in English and is a word of hardly another language in use here.
ENGLISH = frozenset(
    """
    the and that this these those it its it's they them their there you your he's she his who which
    what when where why how are were been being be does did doesn't don't didn't has have had having
    would should could can can't cannot may might must but if then than because since while whether
    although though however too with without from into onto about under between through during
    up out off again further just very really quite even still yet any some all each every both more
    most other others another such own like not never nobody nothing someone something anyone
    anything everyone everything by for at after before only same many much one two also using
    isn't aren't wasn't won't wouldn't shouldn't it'll you'll they'll i'm they're you're we're
    dont doesnt didnt isnt cant wont its wouldnt thats ive wasnt arent aint
    """.split()
)

# Joining words of German, French, Spanish, Portuguese, Italian, Dutch, Polish, Turkish and the
# Scandinavian languages, where no English word, unit, keyword or abbreviation is the same.
FOREIGN = frozenset(
    """
    der das und ist nicht ein eine einen einem eines einer dem mit von auf wird werden wurde wurden
    kann koennen konnen sich auch dass damit durch oder aber wenn wie nur zum zur bei vom aus nach
    sie ihr ihre seine seinen sind haben hatte keine kein keinen niemand jemand fuer uber ueber
    unter zwischen weil noch schon mehr sehr dort dann immer etwas nichts alles jeder jede dieser
    diese dieses diesen welche wer wir ihm ihn ihnen muss muessen mussen soll sollte darf ohne gegen
    beim doch nein ich wo ob als werden gibt macht sodass zuerst danach darum deshalb mein
    les une est et que qui dans avec sur pas ce cette ces elle sont peut aux qu pourquoi
    mais leur leurs nous vous ils elles ses etre fait faire tout tous meme aussi donc parce
    quand personne rien jamais afin ainsi lui cela celui celle comme ete deux chaque
    el los las unos para por como nadie ni esta este esto estos pero porque cuando muy sus puede
    pueden tambien cual quien donde desde hasta algo todo todos cada otro otra fue una
    uma ou ao pelo pela mais nao isso esse essa sao foi pode ninguem quando muito sem seu sua seus
    suas tem nem eles foram nunca estao entao apenas ele ela
    gli della dello dei delle degli che sono nel nella nelle alla allo dal dalla perche anche questo
    questa questi essere viene puo piu nessuno ogni tra sul sulla loro suo stato cosi cioe quindi
    het een niet dat zijn voor wordt worden aan ook maar om naar uit door deze geen iemand
    kunnen heeft hebben moet omdat zodat tegen tussen bij alleen wanneer hij zij
    sie nikt dla oraz przez ktory ktora ktore tego tym jak czy aby zeby przy tylko byc zostal
    moze jego jej bez jesli poniewaz aby tego gdy nie ktos jako
    bir icin ile olarak degil olan oldugu kimse gibi daha ama veya ancak tarafindan hic gore cok
    og ikke som til av det att och inte som har eller fran pa er blir ingen
    """.split()
)

# The same, of which some are met in English: "con", "per se", "MIT", "de facto", "pour".
FOREIGN_OR_NOT = frozenset(
    """
    den um im ja des un la de du en es con se su del al si mas ser ha han ya da na em com dos nos
    um os di ma sa ne par pour entre sobre solo fra met op te dan wat van kan po od co bu ki
    ale je ca toute hier
    ne kak ili byl ego oni kai apo gia pou tis tin hai ka ki ke ko mein aur woh raha wa ga wo
    kara shi bei fi lam ze et hu lo im eu ter ai au il mi ti vi lo le ci sei tu te
    ve hay fur sans nada dit jest
    """.split()
)

# Joining words of Russian, Greek, Hindi, Japanese, Korean, Chinese and Arabic in English letters;
# spelled in many ways, so that unknown words tell more.
ROMANISED = frozenset(
    """
    chto eto etot kotoryj kotoryy kotoriy kotorye dlya nikto mozhet esli tolko potomu bylo byla
    kogda nelzya nuzhno einai stin ston tou oti mporei kanenas hain nahi nahin koi kya yeh hota hoti
    karta karti karte sakta sakte sakti liye desu masu suru shite inai sareru sareta koto dewa
    arimasen imasu imnida hamnida eopda neun eul reul meiyou keyi zhege shenme ila hatha hadha
    alladhi ahad anna laysa shel
    """.split()
)

# Of computer science, and not among the English word pieces.
TERMS = frozenset(
    """
    login logins username usernames auth json jwt http https html css sql nosql api apis url urls
    backend frontend middleware runtime timestamp timestamps serializer serialiser django flask
    nginx gunicorn wsgi asgi websocket websockets webapp github pytest postgres postgresql mysql
    sqlite mongodb javascript typescript async sync boolean tuple tuples regex localhost endpoint
    endpoints refactor refactoring refactored debug debugging hashing hashed hashes hmac sha rsa
    encode encoded encoding encodes decode decoded decoding decodes stateless
    hotfix config configs env params param admin admins ddos csrf xss cors crud orm yaml xml csv
    plaintext ciphertext decrypt decrypts decrypted decrypting encrypt encrypts encrypted encrypting
    screenshot screenshots whitespace codebase unittest unittests tdd linter linting mockup mocks
    mocking mocked scalable scalability multithreaded multithreading datagram datagrams ethernet
    throughput backpropagation perceptron perceptrons softmax sigmoid relu overfitting underfitting
    hyperparameter hyperparameters neuron neurons dropout online offline wifi email emails reusable
    """.split()
)
